run:
	.venv/bin/python -m shopkit.runner run

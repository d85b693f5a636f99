#!/bin/sh
# Loads the sample data into a running fleet. What is there already stays as it is, so it may run twice.
#   ./load_initial_data.sh [SERVICE …]            a fleet that `make run` started
#   ./load_initial_data.sh --compose [SERVICE …]  a fleet that `docker compose up` started
set -eu
cd "$(dirname "$0")"

if [ "${1:-}" != "--compose" ]; then
    [ -x .venv/bin/python ] || { echo "load_initial_data: there is no .venv yet; \`make run\` makes it." >&2; exit 1; }
    exec .venv/bin/python -m shopkit.loader "$@"
fi

shift
command -v docker >/dev/null || { echo "load_initial_data: --compose needs docker." >&2; exit 1; }
[ $# -gt 0 ] || set -- $(cd fixtures && ls ./*.json | sed 's|^./||; s|\.json$||')
number=0
for service in "$@"; do
    number=$((number + 1))
    name=$(echo "$service" | tr _ -)
    counts=$(docker compose exec -T "$name" python manage.py load_initial_data) || {
        echo "load_initial_data: $service did not load; is it up? \`docker compose up --wait\` starts all." >&2
        exit 1
    }
    printf '  %-20s %s (%d of %d)\n' "$service" "$counts" "$number" "$#"
done

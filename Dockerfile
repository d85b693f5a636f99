# One image for every service; SHOP_SERVICE says which one a container is.
FROM python:3.12-slim-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc pkg-config libmariadb-dev \
 && rm -rf /var/lib/apt/lists/*
COPY requirements.txt requirements-mysql.txt requirements-providers.txt /tmp/
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir -r /tmp/requirements.txt -r /tmp/requirements-mysql.txt -r /tmp/requirements-providers.txt

FROM python:3.12-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends libmariadb3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home shop \
 && mkdir -p /data /app && chown shop /data
COPY --from=build /opt/venv /opt/venv
COPY . /app
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    SHOP_ENV=production SHOP_ACCESS=secure SHOP_BIND=0.0.0.0 SHOP_DATA=/data
USER shop
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=12 CMD ["python", "-m", "shopkit.healthcheck"]
CMD ["sh", "-c", "exec python -m shopkit.server \"$SHOP_SERVICE\" --migrate"]

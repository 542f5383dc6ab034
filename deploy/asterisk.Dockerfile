# An Asterisk of the sample configuration for deploy/compose.yaml. Debian 12 and 13 have none.
FROM debian:forky-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends asterisk asterisk-core-sounds-en-gsm python3 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY deploy deploy
# The user of Callytics' own container has the same number: both write to the recordings.
RUN useradd --uid 10001 --no-create-home callytics \
    && install -d -o callytics -g callytics -m 700 /var/lib/callytics-asterisk \
    && install -d -o callytics -g callytics -m 2770 /var/lib/asterisk/recording
USER callytics
EXPOSE 8088
CMD ["python3", "-m", "deploy.asterisk.launch", "--home", "/var/lib/callytics-asterisk", \
     "--recordings", "/var/lib/asterisk/recording", "--http-address", "0.0.0.0"]

# shellcheck shell=bash
# kafka.sh: Apache Kafka as one KRaft node on loopback, from the jars that setup fetched.

# The class path is the list of sums, so that a jar which was added does not run either.
kafka_classes() {
    sed "s|^[0-9a-f]* [ *]|$kafka_libs/|" "$kafka_sums" | paste -sd:
}

kafka_write_properties() {
    local port=${setting[SMSQ_DEV_KAFKA_PORT]}

    sed -e "s|@PORT@|$port|g" -e "s|@CONTROLLER_PORT@|$((port + 1))|g" \
        -e "s|@FOLDER@|$run/kafka/data|g" deploy/kafka/server.properties \
        >"$run/kafka/server.properties"
}

kafka_format() {
    local id

    [[ ! -e $run/kafka/formatted ]] || return 0
    say "Formatting Kafka's storage in $run/kafka/data."
    rm -rf "$run/kafka/data"
    id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')
    java -Xmx256m -XX:-UsePerfData -Djava.io.tmpdir="$run/kafka/tmp" -cp "$1" kafka.tools.StorageTool format -t "${id/#-/a}" \
        -c "$run/kafka/server.properties" >"$run/logs/kafka-format.log" 2>&1 </dev/null ||
        { cat "$run/logs/kafka-format.log" >&2 && fail "Kafka's format failed; its message" \
            "stands above."; }
    touch "$run/kafka/formatted"
}

kafka_start() {
    local port=${setting[SMSQ_DEV_KAFKA_PORT]} classes

    if is_running kafka; then
        say "kafka runs already (pid $(pid_of kafka))."
        return
    fi
    kafka_check_jars || fail "Kafka's jars are missing in $kafka_libs. Run ./dev setup."
    classes=$(kafka_classes)
    rm -rf "$run/kafka/tmp"
    mkdir -p "$run/kafka/tmp"
    kafka_write_properties
    kafka_format "$classes"
    say "Starting kafka on port $port."
    launch kafka java -Xms256m -Xmx512m -XX:+UseG1GC -XX:-UsePerfData \
        -Djava.io.tmpdir="$run/kafka/tmp" \
        -Dlog4j2.configurationFile="$tree/deploy/kafka/log4j2.properties" -cp "$classes" \
        kafka.Kafka "$run/kafka/server.properties"
}

# Ready means: a client gets metadata in which the broker is listed.
kafka_is_ready() {
    kcat -b "$(brokers)" -L -J -m 2 2>/dev/null | jq -e '.brokers | length > 0' >/dev/null
}

kafka_wait() {
    wait_ready kafka 60 kafka_is_ready
}

"""The stack's Kafka: records through kcat, consumer groups through librdkafka."""

import ctypes
import json
import subprocess
import typing

OFFSET_BEGINNING = -2
PRODUCER, CONSUMER = 0, 1
END, TOPIC, PARTITION, VALUE, TIMESTAMP = 0, 1, 3, 4, 8  # of rd_kafka_producev
TIMEOUT_MS = 15000
GROUPS = {"smsq-worker-urgent": "sms.jobs.urgent", "smsq-worker-normal": "sms.jobs.normal",
          "smsq-worker-bulk": "sms.jobs.bulk", "smsq-status-consumer": "sms.status",
          "smsq-dead-letters": "sms.dead"}


class Record(typing.NamedTuple):
    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes  # None for a tombstone

    @property
    def json(self):
        return json.loads(self.value)


class Kafka:
    def __init__(self, brokers):
        self.brokers = brokers

    def _kcat(self, *arguments, given=b""):
        return subprocess.run(["kcat", "-b", self.brokers, *arguments], check=True,
                              input=given, capture_output=True, timeout=60).stdout

    def topics(self):
        """The partitions of each topic."""
        topics = json.loads(self._kcat("-L", "-J"))["topics"]
        return {topic["topic"]: len(topic["partitions"]) for topic in topics}

    def records(self, topic):
        """All records of a topic as they are, byte for byte."""
        return _split(self._kcat("-C", "-t", topic, "-e", "-q", "-o", "beginning",
                                 "-X", "fetch.wait.max.ms=20",
                                 "-f", "%t %p %o %K %S\n%k%s\n"))

    def publish(self, topic, partition, key, *files):
        """Publishes each file as one record."""
        self._kcat("-P", "-t", topic, "-p", str(partition), "-k", key,
                   *(str(file) for file in files))

    def publish_empty(self, topic, partition, key, is_null):
        """Publishes a record with an empty value, or with none: a tombstone."""
        self._kcat("-P", "-t", topic, "-p", str(partition), "-K", "=",
                   *(["-Z"] if is_null else []), given=f"{key}=\n".encode())

    def publish_at(self, topic, partition, value, at_ms):
        """Publishes a record that says it is of that time, in milliseconds since 1970."""
        with Client(PRODUCER, {"bootstrap.servers": self.brokers}) as client:
            client.produce(topic, partition, value, at_ms)

    def ends(self, topic):
        """The offset behind the last record of each partition."""
        with Group(self.brokers, "smsq-tests") as group:
            return [group.end(topic, partition) for partition in range(self.topics()[topic])]

    def rewind(self):
        """Sets our groups back to the first record; nobody may be in them."""
        topics = self.topics()
        for name, topic in GROUPS.items():
            with Group(self.brokers, name) as group:
                group.commit(topic, {p: group.begin(topic, p) for p in range(topics[topic])})

    def lag(self):
        """How many records our groups have not finished yet."""
        topics, lag = self.topics(), 0
        for name, topic in GROUPS.items():
            with Group(self.brokers, name) as group:
                done = group.committed(topic, topics[topic])
                lag += sum(group.end(topic, p) - max(done[p], 0) for p in done)
        return lag


def _split(dump):
    records, at = [], 0
    while at < len(dump):
        head, at = dump[at:dump.index(b"\n", at)].split(), dump.index(b"\n", at) + 1
        key_len, value_len = int(head[3]), int(head[4])
        key_end = at + max(key_len, 0)
        end = key_end + max(value_len, 0)
        records.append(Record(head[0].decode(), int(head[1]), int(head[2]), dump[at:key_end],
                              dump[key_end:end] if value_len >= 0 else None))
        at = end + 1
    return records


class _Partition(ctypes.Structure):
    _fields_ = [("topic", ctypes.c_char_p), ("partition", ctypes.c_int32),
                ("offset", ctypes.c_int64), ("metadata", ctypes.c_void_p),
                ("metadata_size", ctypes.c_size_t), ("opaque", ctypes.c_void_p),
                ("err", ctypes.c_int), ("private", ctypes.c_void_p)]


class _Partitions(ctypes.Structure):
    _fields_ = [("cnt", ctypes.c_int), ("size", ctypes.c_int),
                ("elems", ctypes.POINTER(_Partition))]


def _library():
    lib = ctypes.CDLL("librdkafka.so.1")
    for name in ("rd_kafka_conf_new", "rd_kafka_new"):
        getattr(lib, name).restype = ctypes.c_void_p
    lib.rd_kafka_topic_partition_list_new.restype = ctypes.POINTER(_Partitions)
    lib.rd_kafka_topic_partition_list_add.restype = ctypes.POINTER(_Partition)
    lib.rd_kafka_err2str.restype = ctypes.c_char_p
    return lib


class Client:
    """A client of librdkafka, whose calls fail the test when they fail."""

    lib = _library()

    def __init__(self, kind, properties):
        conf = ctypes.c_void_p(self.lib.rd_kafka_conf_new())
        for key, value in properties.items():
            self.lib.rd_kafka_conf_set(conf, key.encode(), value.encode(), None, 0)
        self.client = ctypes.c_void_p(self.lib.rd_kafka_new(kind, conf, None, 0))
        assert self.client, "librdkafka did not start"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lib.rd_kafka_destroy(self.client)

    def _check(self, code):
        assert code == 0, self.lib.rd_kafka_err2str(code).decode()

    def produce(self, topic, partition, value, at_ms):
        self._check(self.lib.rd_kafka_producev(
            self.client, TOPIC, topic.encode(), PARTITION, ctypes.c_int32(partition), VALUE,
            value, ctypes.c_size_t(len(value)), TIMESTAMP, ctypes.c_int64(at_ms), END))
        self._check(self.lib.rd_kafka_flush(self.client, TIMEOUT_MS))


class Group(Client):
    """One consumer group, seen from outside: this client never joins it."""

    def __init__(self, brokers, name):
        super().__init__(CONSUMER, {"bootstrap.servers": brokers, "group.id": name})

    def _partitions(self, topic, offsets):
        rows = self.lib.rd_kafka_topic_partition_list_new(len(offsets))
        for partition, offset in offsets.items():
            self.lib.rd_kafka_topic_partition_list_add(
                rows, topic.encode(), partition).contents.offset = offset
        return rows

    def _bounds(self, topic, partition):
        low, high = ctypes.c_int64(), ctypes.c_int64()
        self._check(self.lib.rd_kafka_query_watermark_offsets(
            self.client, topic.encode(), partition, ctypes.byref(low), ctypes.byref(high),
            TIMEOUT_MS))
        return low.value, high.value

    def begin(self, topic, partition):
        return self._bounds(topic, partition)[0]

    def end(self, topic, partition):
        return self._bounds(topic, partition)[1]

    def commit(self, topic, offsets):
        rows = self._partitions(topic, offsets)
        try:
            self._check(self.lib.rd_kafka_commit(self.client, rows, 0))
        finally:
            self.lib.rd_kafka_topic_partition_list_destroy(rows)

    def committed(self, topic, partitions):
        rows = self._partitions(topic, dict.fromkeys(range(partitions), OFFSET_BEGINNING))
        try:
            self._check(self.lib.rd_kafka_committed(self.client, rows, TIMEOUT_MS))
            found = rows.contents
            return {found.elems[i].partition: found.elems[i].offset for i in range(found.cnt)}
        finally:
            self.lib.rd_kafka_topic_partition_list_destroy(rows)

"""What happens to whom, drawn from the seed alone: the same seed gives the same plan."""

import dataclasses
import random

# The places where each program ends itself, as fail_point names them in its source.
POINTS = {
    "worker": ("worker_before_claim", "worker_after_claim", "worker_before_ack",
               "worker_before_note", "client_after_bytes", "worker_after_answer",
               "worker_after_result", "worker_takeover"),
    "scheduler": ("mover_before_publish", "mover_after_ack", "mover_after_delete"),
    "status-consumer": ("status_before_store", "status_after_store", "reconciler_after_list"),
    "webhook-receiver": ("receiver_before_publish", "receiver_after_publish"),
    "producer": ("producer_before_publish", "producer_after_ack"),
}

# Passed only to tell that the hands are empty again; nobody dies there.
RESTS = ("worker_rest", "mover_rest", "status_rest", "receiver_rest", "producer_rest")

# Of the lives that end at any moment instead of at a place. Whoever holds a message for
# milliseconds only would mostly die with empty hands.
RANDOM_SHARES = {"worker": 0.25, "producer": 0.15}
RANDOM_SHARE = 0.05
PASSES_MAX = 6  # a life ends at a pass from the first to this one
SPANS_S = {"worker": (1.0, 4.0), "scheduler": (0.5, 2.0), "status-consumer": (1.5, 5.0),
           "webhook-receiver": (2.0, 6.0), "producer": (3.0, 8.0)}
HARDY_SHARE = 0.2  # the others wait for the end of an outage, when they have work again
VOID_S = 4.0  # who has not passed its place so long after its time is killed all the same
# The work of these is behind a lease, of which the dead keep the term (1 s in the bench).
LEASED_VOID_S = 8.0
AT_START = ("worker_takeover",)  # passed in the first moments of a life only
LEASED = ("mover_", "reconciler_")


@dataclasses.dataclass(frozen=True)
class Life:
    """One life of one program: where it ends, or when at the latest."""

    place: str  # "" = nowhere, killed from outside
    passes: int
    after_s: float  # passes count from here on; without a place it ends here
    is_hardy: bool = True  # it is killed also while Kafka or PostgreSQL is away

    @property
    def limit_s(self):
        if not self.place:
            return self.after_s
        return self.after_s + (LEASED_VOID_S if self.place.startswith(LEASED) else VOID_S)


def life_of(seed, name, kind, number):
    """The plan of the life with this number of one program."""
    draw = random.Random(f"{seed}/{name}/{number}")
    after_s = draw.uniform(*SPANS_S[kind])
    is_hardy = draw.random() < HARDY_SHARE
    if draw.random() < RANDOM_SHARES.get(kind, RANDOM_SHARE):
        return Life("", 0, after_s, is_hardy)
    # In turn, so that each place gets its share; the start is different for each program.
    places = POINTS[kind]
    start = random.Random(f"{seed}/{name}").randrange(len(places))
    place, passes = places[(start + number) % len(places)], draw.randint(1, PASSES_MAX)
    if place in AT_START:
        return Life(place, 1 + passes % 3, 0.0, is_hardy)
    return Life(place, passes, after_s, is_hardy)


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault of the ground or of the simulator, beside the kills."""

    name: str
    target: str = ""
    seconds: float = 0


# What --faults may name. "kills" is about lives, the others are of the schedule.
NAMES = ("kills", "stop", "stop_long", "postgres_restart", "postgres_crash", "postgres_away",
         "kafka_restart", "kafka_kill", "storm", "rewind", "moves", "simulator", "answers_5xx",
         "answers_429", "answers_cut", "answers_hang", "repeats", "callbacks_lost",
         "callbacks_early")

SCHEDULED = tuple(name for name in NAMES if name not in ("kills", "moves", "simulator"))
LONG_S = 90  # of stop_long: dead by every clock of ours
LONG_RUN_S = 240  # shorter runs have no place for it
KAFKA = ("kafka_restart", "kafka_kill")  # the slowest: rounds take them in turn


def schedule(seed, names, targets, length_s):
    """Endless: the faults one after the other, each round in an order of its own."""
    draw = random.Random(f"{seed}/schedule")
    chosen = [name for name in SCHEDULED if name in names]
    workers = [name for name in targets if name.startswith("worker")]
    if length_s < LONG_RUN_S:
        chosen = [name for name in chosen if name != "stop_long"]
    while chosen:
        for number in range(2):
            for name in draw.sample(chosen, len(chosen)):
                if all(kind in chosen for kind in KAFKA) and name == KAFKA[number]:
                    continue
                target, seconds = "", round(draw.uniform(3, 8), 1)
                if name == "stop":
                    target, seconds = draw.choice(targets), draw.choice((2, 6, 18))
                elif name == "stop_long":  # every other one is of a worker
                    target, seconds = draw.choice(targets if number else workers), LONG_S
                yield Fault(name, target, seconds)


def chosen_faults(text):
    """The names of --faults LIST; "all" is all of them."""
    names = NAMES if text in (None, "", "all") else tuple(text.split(","))
    for name in names:
        if name not in NAMES:
            raise ValueError(f'there is no fault "{name}": it is one of {", ".join(NAMES)}')
    return names

"""Wake workers through the broker, without ever holding up whoever asks."""

import contextlib
import logging
from collections.abc import Iterable, Iterator

from amqp.exceptions import ChannelError
from kombu import Connection, Producer
from kombu.exceptions import OperationalError
from kombu.pools import producers

from crm.celery import app

logger = logging.getLogger(__name__)

RUN_JOB = "crm.run_job"
SWEEP_JOBS = "crm.sweep_jobs"
# A dead broker must not hold a page: one try, no waiting between tries. The job's row
# stays, and the sweeper sends its message when the broker is back.
IMPATIENT = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
    "connect_retries_timeout": 1,
    "socket_connect_timeout": 1,
    "socket_timeout": 2,
}
# The time limits are the worker's; left out, those that this process read from its own
# settings would go with the message and rule there.
SENDING = {"retry": False, "time_limit": None, "soft_time_limit": None}


def broker_errors() -> tuple[type[Exception], ...]:
    """Return how a broker that is down shows itself.

    Asked only when something went wrong: a web process starts without the client.
    """
    from redis.exceptions import RedisError

    return OperationalError, RedisError, OSError


def impatient_connection() -> Connection:
    """Return a connection to the broker that gives up at once."""
    connection = app.connection_for_write(connect_timeout=1)
    connection.transport_options = {**connection.transport_options, **IMPATIENT}
    return connection


@contextlib.contextmanager
def producer() -> Iterator[Producer]:
    """Lend a pooled producer; raises one of broker_errors() where that is down."""
    connection = impatient_connection()
    with producers[connection].acquire(block=True, timeout=2) as found:
        yield found


def send_jobs(messages: Iterable[tuple[int, str]]) -> list[int]:
    """Send a wake-up call per (job id, queue); return the ids that went out."""
    sent: list[int] = []
    try:
        with producer() as found:
            for job_id, queue in messages:
                app.send_task(
                    RUN_JOB, args=[job_id], queue=queue, producer=found, **SENDING
                )
                sent.append(job_id)
    except broker_errors() as error:
        logger.warning("The broker does not answer; jobs wait for it: %s", error)
    return sent


def send_sweep(queue: str) -> None:
    """Ask a worker of the queue to look for lost jobs."""
    try:
        with producer() as found:
            app.send_task(SWEEP_JOBS, queue=queue, producer=found, retry=False)
    except broker_errors() as error:
        logger.warning("The broker does not answer: %s", error)


def messages_waiting(queue: str) -> int | None:
    """Return how many messages wait in a queue, None where the broker is down."""
    try:
        with producer() as found:
            declared = found.channel.queue_declare(queue, passive=True)
            return declared.message_count
    except ChannelError:
        return 0
    except broker_errors():
        return None

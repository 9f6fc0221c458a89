"""Which route is taken: an environment that is whole already, else the first route that works."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from setup.conda import Conda
from setup.debian import Debian
from setup.failure import SetupError
from setup.here import Here
from setup.machine import DEFAULT_SUITE, Machine
from setup.places import environment_folder, home_folder, lock, read_stamp
from setup.private_root import PrivateRoot
from setup.process import say
from setup.route import Route

REMEDY = "install conda, or run it as root on a Debian-family machine"


def routes(machine: Machine) -> list[Route]:
    """The routes in order of preference.

    Args:
        machine: asked for a suite, it gets the private root of that suite and nothing else.

    Returns:
        The routes that the user's wishes leave.

    Raises:
        SetupError: the wishes contradict each other.
    """
    if machine.suite is None:
        offered: list[Route] = [Here(), Conda(), Debian(), PrivateRoot(DEFAULT_SUITE)]
    else:
        offered = [PrivateRoot(machine.suite)]
    wanted = [route for route in offered if machine.route in (None, route.key)]
    if not wanted:
        raise SetupError(
            f"SUITE={machine.suite} is always a private root, so SWELLBOUND_ROUTE cannot be {machine.route!r}"
        )
    return wanted


def whole(offered: Sequence[Route]) -> tuple[Route, Mapping[str, str]] | None:
    """The first environment that is whole, up to date and usable, with its stamp; None where there is none."""
    for route in offered:
        stamp = read_stamp(environment_folder(route.name))
        if stamp.get("fingerprint") == route.fingerprint() and route.usable(stamp):
            return route, stamp
    return None


def prepare(machine: Machine, offered: Sequence[Route] | None = None) -> tuple[Route, Mapping[str, str]]:
    """Finds an environment or builds one. Any number of calls at once, after any interruption, end in one environment.

    Args:
        machine: the machine.
        offered: the routes to try, in order; those of the machine if None.

    Returns:
        The route taken, and the stamp of its environment.

    Raises:
        SetupError: no route works; the sentence says why, route by route.
    """
    tried = routes(machine) if offered is None else offered
    ready = whole(tried)
    if ready is not None:
        return ready
    with lock(home_folder() / "lock") as held:
        # Another set-up may have done all the work while this one waited for the lock.
        ready = whole(tried)
        if ready is not None:
            return ready
        reasons = []
        for route in tried:
            reason = route.refusal(machine)
            if reason is None:
                reason = _build(route, machine, held)
            if reason is None:
                stamp = read_stamp(environment_folder(route.name))
                if not stamp:
                    raise SetupError(f"{environment_folder(route.name)} vanished while it was set up")
                return route, stamp
            reasons.append(reason)
    raise SetupError(f"no way to DOLFINx 0.9 to 0.11 works here ({'; '.join(reasons)}); {REMEDY}")


def _build(route: Route, machine: Machine, held: int) -> str | None:
    """Builds by one route; returns why that failed, None where it did not."""
    say(f"taking the route '{route.key}': {route.title}; this takes {route.takes}, once")
    start = time.monotonic()
    try:
        route.build(machine, held)
    except SetupError as error:
        say(f"the route '{route.key}' does not work: {error}")
        return str(error)
    except OSError as error:
        say(f"the route '{route.key}' does not work: {error}")
        return f"{error.filename or route.title}: {error.strerror}"
    say(f"ready after {time.monotonic() - start:.0f} s")
    return None

"""The scenarios of all sites by name: freepbx-queue, wazo-parking..."""

import pathlib

from .freepbx import FreePbx
from .issabel import Issabel, Issabel13
from .mikopbx import MikoPbx
from .plain import Plain
from .site import Recorded
from .wazo import Wazo

SITES = {cls.name: cls for cls in (FreePbx, Issabel, Issabel13, MikoPbx, Wazo, Plain)}
NAMES = [f"{site}-{scenario}" for site, cls in SITES.items() for scenario in cls.scenarios]


def recorded(name):
    """The scenario of that name."""
    site, _, scenario = name.partition("-")
    return Recorded(SITES[site](), scenario)


def main(arguments):
    if len(arguments) == 2 and arguments[0] in NAMES:
        pathlib.Path(arguments[1]).mkdir(parents=True, exist_ok=True)
        print(recorded(arguments[0]).write(arguments[1]))
        return 0
    for name in NAMES:
        print(f"{name:24} {recorded(name).text}")
    return 2 if arguments else 0

"""Every phase of the campaign, by name."""

from __future__ import annotations

from collections.abc import Mapping

import at_once
import disks
import hostile
import inputs
import kills
from phases import Phase

PHASES: Mapping[str, Phase] = {
    phase.name: phase for phase in (*kills.PHASES, *at_once.PHASES, *disks.PHASES, *inputs.PHASES, *hostile.PHASES)
}

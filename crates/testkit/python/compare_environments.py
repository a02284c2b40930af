"""Holds the environments of the testkit against the packages that they are written after.

`compare_environments.py OURS`: OURS is what `environments` printed. Each difference is a line; there is a summary, and
the exit code is 1 where anything differs. Tables are compared state by state, grids by replaying recorded decisions
from the recorded start, chains by replaying them with the hidden state set.
"""

import json
import math
import re
import sys
from collections import Counter

import gymnasium
import minigrid  # noqa: F401 - registers its environments
import numpy as np
from bsuite.environments.discounting_chain import DiscountingChain
from bsuite.environments.memory_chain import MemoryChain
from bsuite.environments.umbrella_chain import UmbrellaChain
from bsuite.experiments.discounting_chain import sweep as discounting_sweep
from bsuite.experiments.memory_len import sweep as memory_sweep
from bsuite.experiments.umbrella_distract import sweep as distract_sweep
from bsuite.experiments.umbrella_length import sweep as length_sweep
from minigrid.core.grid import Grid
from minigrid.core.world_object import Door, Goal, Key

SHOWN_MAX = 10
# Starts drawn from a grid of the package; a start's share then has a standard error of at most 0.005.
N_STARTS = 10_000

differences = []
compared = Counter()


def same(what, ours, theirs):
    """Counts a comparison; numbers may differ by what 32-bit floats lose."""
    compared[what.split(":")[0]] += 1
    numbers = isinstance(ours, (int, float)) and isinstance(theirs, (int, float, np.number))
    if not (math.isclose(ours, theirs, abs_tol=1e-6) if numbers else ours == theirs):
        differences.append(f"{what}: ours {ours!r}, theirs {theirs!r}")


# Tables: name, package's id, its options, its step limit where ours differs on purpose.
TABLES = [
    ("frozen_lake/4x4_deterministic", "FrozenLake-v1", {"map_name": "4x4", "is_slippery": False}, 100),
    ("frozen_lake/4x4_slippery", "FrozenLake-v1", {"map_name": "4x4", "is_slippery": True}, 100),
    ("frozen_lake/8x8_deterministic", "FrozenLake8x8-v1", {"is_slippery": False}, 200),
    ("frozen_lake/8x8_slippery", "FrozenLake8x8-v1", {"is_slippery": True}, 200),
    ("cliff_walking", "CliffWalking-v1", {}, None),
    ("taxi", "Taxi-v4", {}, 200),
]


def merged(transitions):
    """Outcomes of one decision: (next or None, reward) -> probability."""
    found = Counter()
    for probability, following, reward, ends in transitions:
        found[(None if ends else str(following), float(reward))] += float(probability)
    return {outcome: round(share, 9) for outcome, share in found.items() if share > 0}


def compare_table(ours, name, package_id, options, n_steps_max):
    env = gymnasium.make(package_id, **options)
    about = ours["about"]
    same(f"{name}: name", about["name"], name)
    same(f"{name}: the package's step limit", n_steps_max, env.spec.max_episode_steps)
    if n_steps_max is not None:
        same(f"{name}: step limit", about["n_steps_max"], n_steps_max)
    inner = env.unwrapped
    starts = {str(state): float(share) for state, share in enumerate(inner.initial_state_distrib) if share > 0}
    same(f"{name}: starts", sorted(about["starts"]), sorted(starts))
    for state, share in about["starts"].items():
        same(f"{name}: start {state}", share, starts.get(state, 0.0))
    same(f"{name}: decisions", len(about["decisions"]), int(env.action_space.n))
    for state, decisions in ours["states"].items():
        for decision, transitions in enumerate(decisions):
            mine = merged((p, following, reward, following is None) for p, reward, following in transitions)
            same(f"{name}: state {state}, decision {decision}", mine, merged(inner.P[int(state)][decision]))


KEY = re.compile(r"door=(\d+),(\d+),(\w+) key=(?:(\d+),(\d+)|carried) agent=(\d+),(\d+),(\w+)")
FACING = ["right", "down", "left", "up"]


def state_of(env):
    """The state's key in our words."""
    inner = env.unwrapped
    cells = [(x, y, inner.grid.get(x, y)) for x in range(inner.width) for y in range(inner.height)]
    (x, y, door) = next(cell for cell in cells if isinstance(cell[2], Door))
    door = "open" if door.is_open else "locked" if door.is_locked else "closed"
    key = next((f"{kx},{ky}" for kx, ky, cell in cells if isinstance(cell, Key)), "carried")
    if (key == "carried") != (inner.carrying is not None):
        key = "lost"
    (ax, ay) = (int(place) for place in inner.agent_pos)
    return f"door={x},{y},{door} key={key} agent={ax},{ay},{FACING[inner.agent_dir]}"


def set_state(env, key):
    """The package's environment in the state that the key names, at its first step."""
    env.reset(seed=0)
    inner = env.unwrapped
    x, y, door, key_x, key_y, agent_x, agent_y, facing = KEY.fullmatch(key).groups()
    grid = Grid(inner.width, inner.height)
    grid.wall_rect(0, 0, inner.width, inner.height)
    grid.vert_wall(int(x), 0)
    inner.grid = grid
    if not hasattr(inner, "door"):
        inner.put_obj(Goal(), inner.width - 2, inner.height - 2)
    in_wall = Door("yellow", is_open=door == "open", is_locked=door == "locked")
    inner.put_obj(in_wall, int(x), int(y))
    if hasattr(inner, "door"):
        inner.door = in_wall
    inner.carrying = None
    if key_x is None:
        inner.carrying = Key("yellow")
    else:
        inner.put_obj(Key("yellow"), int(key_x), int(key_y))
    inner.agent_pos, inner.agent_dir = (int(agent_x), int(agent_y)), FACING.index(facing)
    inner.step_count = 0


def compare_replay(env, name, steps, paid_whole, n_steps_max):
    set_state(env, steps[0][0])
    for at, (state, decision, reward) in enumerate(steps):
        same(f"{name}: state at step {at}", state, state_of(env))
        _, theirs, ended, cut, _ = env.step(decision)
        same(f"{name}: reward at step {at}", reward, float(theirs > 0) if paid_whole else float(theirs))
        last = at + 1 == len(steps)
        same(f"{name}: step {at} is cut off", at + 1 == n_steps_max, cut)
        if not paid_whole or not last or reward > 0:
            same(f"{name}: step {at} ends", last, ended or cut)


def compare_starts(env, name, starts):
    """Every start that the package draws is one of ours; shares are compared by parts of the state."""
    drawn = Counter()
    for seed in range(N_STARTS):
        env.reset(seed=seed)
        drawn[state_of(env)] += 1
    for start in drawn:
        same(f"{name}: start {start} is possible", start in starts, True)
    for part in ("door=", "key=", "agent="):
        of = lambda start: next(word for word in start.split() if word.startswith(part))
        mine, theirs = Counter(), Counter()
        for start, share in starts.items():
            mine[of(start)] += share
        for start, n in drawn.items():
            theirs[of(start)] += n
        # Chi squared is about normal for these many parts: mean k - 1, variance 2 (k - 1). Five deviations.
        k = len(mine)
        chi = sum((theirs[value] - N_STARTS * share) ** 2 / (N_STARTS * share) for value, share in mine.items())
        bound = k - 1 + 5 * math.sqrt(2 * max(k - 1, 1))
        print(f"  {name}: shares of {part[:-1]}: chi squared {chi:.1f}, {k - 1} degrees of freedom")
        same(f"{name}: shares of {part[:-1]} (chi squared {chi:.1f} of {k - 1})", chi <= bound, True)


def compare_grid(ours, package_id):
    env = gymnasium.make(package_id)
    about = ours["about"]
    name = about["name"]
    same(f"{name}: step limit", about["n_steps_max"], env.unwrapped.max_steps)
    same(f"{name}: decisions", about["decisions"], [action.name for action in env.unwrapped.actions])
    for steps in ours["episodes"]:
        compare_replay(env, name, steps, False, about["n_steps_max"])
    for steps in ours["walks"]:
        compare_replay(env, name, steps, True, about["n_steps_max"])
    compare_starts(env, name, about["starts"])


def compare_umbrella(name, ours, chain_length, n_distractor, noisy):
    for episode in ours["episodes"]:
        env = UmbrellaChain(chain_length=chain_length, n_distractor=n_distractor, seed=0)
        env.reset()
        first = episode[0][0]
        env._need_umbrella, env._has_umbrella = int(first["needed"]), int(first["there"])
        seen = env._get_observation()
        same(f"{name}: length", len(episode), chain_length)
        for at, (state, decision, reward) in enumerate(episode):
            where = f"{name}: step {at} of {chain_length}"
            same(f"{where}, needed", float(state["needed"]), seen[0, 0])
            same(f"{where}, there", float(state["there"]), seen[0, 1])
            same(f"{where}, left", state["left"], seen[0, 2])
            same(f"{where}, distractors", len(state["distractors"]), seen.shape[1] - 3)
            step = env.step(int(decision == "take"))
            last = at + 1 == len(episode)
            same(f"{where}, ends", last, step.last())
            if last:
                same(f"{where}, reward", reward, step.reward)
            else:
                # A coin of both; without noise ours pays nothing before the end.
                same(f"{where}, the package pays a coin", abs(step.reward), 1.0)
                same(f"{where}, ours pays", abs(reward), 1.0 if noisy else 0.0)
            seen = step.observation


def compare_memory(name, ours, memory_length):
    for episode in ours["episodes"]:
        env = MemoryChain(memory_length=memory_length, num_bits=1, seed=0)
        env.reset()
        env._context = np.array([int(episode[0][0]["bit"])])
        seen = env._get_observation()
        for at, (state, decision, reward) in enumerate(episode):
            where = f"{name}: step {at} of {memory_length} and one"
            same(f"{where}, left", state["left"], seen[0, 0])
            same(f"{where}, bit", {"0": -1.0, "1": 1.0, "-": 0.0}[state["bit"]], float(seen[0, 2]))
            step = env.step(int(decision))
            same(f"{where}, reward", reward, step.reward)
            same(f"{where}, ends", at + 1 == len(episode), step.last())
            seen = step.observation


def compare_discounting(name, ours, mapping_seed):
    for episode in ours["episodes"]:
        env = DiscountingChain(mapping_seed=mapping_seed)
        seen = env.reset().observation
        for at, (state, decision, reward) in enumerate(episode):
            where = f"{name}: step {at}"
            same(f"{where}, chain", -1.0 if state["chain"] == "-" else float(state["chain"]), float(seen[0, 0]))
            same(f"{where}, passed", state["passed"], seen[0, 1])
            step = env.step(int(decision.removeprefix("chain ")))
            same(f"{where}, reward", reward, step.reward)
            same(f"{where}, ends", at + 1 == len(episode), step.last())
            seen = step.observation


def compare_chains(ours):
    """Settings and their order, then episodes."""
    def settings(suite, wanted):
        same(f"{suite}: settings", [of["name"] for of in ours[suite]], [f"{suite}/{n}" for n in wanted])
        return list(zip(ours[suite], wanted))

    lengths = [(of["chain_length"], of["n_distractor"]) for of in length_sweep.SETTINGS]
    same("umbrella_length: distractors", {n for _, n in lengths}, {20})
    for setting, n in settings("umbrella_length", [length for length, _ in lengths]):
        compare_umbrella("umbrella_length", setting, n, 20, False)
    for setting, n in settings("umbrella_distract", [of["n_distractor"] for of in distract_sweep.SETTINGS]):
        compare_umbrella("umbrella_distract", setting, 20, n, False)
    compare_umbrella("noisy_umbrella", ours["noisy_umbrella"][0], 20, 20, True)
    for setting, n in settings("memory_len", [of["memory_length"] for of in memory_sweep.SETTINGS]):
        compare_memory("memory_len", setting, n)
    mappings = sorted({of["mapping_seed"] % 5 for of in discounting_sweep.SETTINGS})
    for setting, n in settings("discounting_chain", mappings):
        compare_discounting("discounting_chain", setting, n)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        ours = json.load(file)
    for mine, table in zip(ours["tables"], TABLES, strict=True):
        compare_table(mine, *table)
    compare_chains(ours["chains"])
    grids = ["MiniGrid-DoorKey-5x5-v0", "MiniGrid-DoorKey-6x6-v0", "MiniGrid-Unlock-v0"]
    for mine, package_id in zip(ours["grids"], grids, strict=True):
        compare_grid(mine, package_id)
    of_name = Counter(line.split(":")[0] for line in differences)
    for name, n in compared.items():
        print(f"{name}: {n} compared, {of_name[name]} differ")
    for line in differences[:SHOWN_MAX]:
        print(line)
    if differences:
        sys.exit(f"{len(differences)} differences")


if __name__ == "__main__":
    main()

"""What Judge0 CE's routes tell of a service, told of ours. Pure."""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from runner.apis.judge0 import BATCH, LANGUAGES
from runner.apis.judge0_results import STATUSES
from runner.policy.policy import Policy

VERSION: Final = "1.13.1"
"""Of the contract: its clients look up the numbers of their languages by it."""


def languages(policies: Mapping[str, Policy]) -> list[dict[str, Any]]:
    """``GET /languages``."""
    return [{"id": number, "name": policies[name].title} for number, name in LANGUAGES.items() if name in policies]


def language(asked: str, policies: Mapping[str, Policy]) -> dict[str, Any] | None:
    """``GET /languages/{id}``."""
    found = next((each for each in languages(policies) if str(each["id"]) == asked), None)
    if found is None:
        return None
    policy = policies[LANGUAGES[found["id"]]]
    compiles = {"compile_cmd": shlex.join(policy.compile) or None, "run_cmd": shlex.join(policy.run)}
    return {**found, "is_archived": False, "source_file": policy.source, **compiles}


def statuses() -> list[dict[str, Any]]:
    """``GET /statuses``."""
    return [{"id": number, "description": description} for number, description in STATUSES.items()]


def about() -> dict[str, Any]:
    """``GET /about``."""
    return {"version": VERSION, "homepage": None, "source_code": None, "maintainer": None}


def config_info(policies: Mapping[str, Policy], queue: int, age: float) -> dict[str, Any]:
    """``GET /config_info``: what may be asked for; where policies differ, what the largest of them gives.

    ``queue``: how many may wait; ``age``: seconds that a submission is kept.
    """
    limits = [policy.limits for policy in policies.values()]
    wall_time, output = max(each.wall_time for each in limits), max(each.output for each in limits) // 1024
    memory = max(policy.memory for policy in policies.values()) // 1024
    return {
        **dict.fromkeys(("enable_wait_result", "enable_compiler_options", "enable_command_line_arguments"), True),
        **dict.fromkeys(("enable_additional_files", "enable_batched_submissions"), True),
        **dict.fromkeys(("enable_submission_delete", "enable_callbacks", "maintenance_mode"), False),
        **dict.fromkeys(("enable_network", "allow_enable_network", "redirect_stderr_to_stdout"), False),
        **dict.fromkeys((f"{word}enable_per_process_and_thread_time_limit" for word in ("", "allow_")), False),
        **dict.fromkeys((f"{word}enable_per_process_and_thread_memory_limit" for word in ("", "allow_")), False),
        **dict.fromkeys(("callbacks_max_tries", "callbacks_timeout", "cpu_extra_time", "max_cpu_extra_time"), 0),
        **dict.fromkeys(("cpu_time_limit", "max_cpu_time_limit", "wall_time_limit", "max_wall_time_limit"), wall_time),
        **dict.fromkeys(("memory_limit", "max_memory_limit", "stack_limit", "max_stack_limit"), memory),
        **dict.fromkeys(("max_file_size", "max_max_file_size"), output),
        **dict.fromkeys(("max_processes_and_or_threads", "max_max_processes_and_or_threads"), _processes(policies)),
        **dict.fromkeys(("number_of_runs", "max_number_of_runs"), 1),
        "allowed_languages_for_compile_options": [],
        "max_extract_size": max(each.file_bytes for each in limits) // 1024,
        "max_queue_size": queue,
        "max_submission_batch_size": BATCH,
        "submission_cache_duration": age,
        "use_docs_as_homepage": False,
    }


def _processes(policies: Mapping[str, Policy]) -> int:
    return max(int(value) for policy in policies.values() if (value := policy.value("--pids-limit=")))

"""Settings as a file and as a command line: the same names as the options, with underscores."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from napari_nanoqr.files import write_text

FORMAT = "napari-nanoqr settings"


class BadSettings(ValueError):
    """A file that holds no settings for the command."""


def save_settings(path: Path, command: str, settings: dict[str, Any]) -> None:
    """Write settings that ``nanoqr COMMAND --settings FILE`` takes.

    Parameters
    ----------
    path : Path
        A JSON file.
    command : str
        The subcommand that they belong to.
    settings : dict
        Values by option name, with underscores; None where the default holds.
    """
    values = {"format": FORMAT, "command": command, "settings": settings}
    write_text(path, json.dumps(values, indent=1) + "\n")


def load_settings(path: Path, command: str) -> dict[str, Any]:
    """Read settings of a command.

    Raises
    ------
    BadSettings
        Where the file holds none, or those of another command.
    OSError
        Where it cannot be read.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise BadSettings(f"{path.name} holds no settings: {problem}") from problem
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise BadSettings(f"{path.name} holds no nanoqr settings.")
    if values.get("command") != command or not isinstance(values.get("settings"), dict):
        raise BadSettings(f"{path.name} holds settings of nanoqr {values.get('command')}.")
    return dict(values["settings"])


def command_line(command: str, settings: dict[str, Any]) -> str:
    """Write settings as the command that does the same.

    Parameters
    ----------
    command : str
        The subcommand; ``archive write`` and its like in two words.
    settings : dict
        Values by option name. The key ``""`` holds the positional arguments as a list;
        options that are None or False are left out, True stands for a flag, and a list for an
        option that is given more than once.

    Returns
    -------
    str
        A line to paste into a shell.
    """
    return shlex.join(["nanoqr", *command.split(), *_around(settings, _options(settings))])


def expand_settings(arguments: list[str]) -> list[str]:
    """Put the options of a settings file in the place of ``--settings FILE``.

    Parameters
    ----------
    arguments : list of str
        ``COMMAND``, or the two words of a command such as ``archive write``, and its arguments;
        options given here win over those of the file.

    Returns
    -------
    list of str
        The arguments without ``--settings``.

    Raises
    ------
    BadSettings
        Where the file holds no settings for the command.
    OSError
        Where it cannot be read.
    """
    words = list(arguments)
    named = 2 if words[:1] == ["archive"] else 1
    for index, word in enumerate(words[named:], start=named):
        if word == "--":
            break
        if word == "--settings" and index + 1 < len(words):
            path, rest = words[index + 1], words[named:index] + words[index + 2 :]
        elif word.startswith("--settings="):
            path, rest = word.partition("=")[2], words[named:index] + words[index + 1 :]
        else:
            continue
        settings = load_settings(Path(path), " ".join(words[:named]))
        return [*words[:named], *_around(settings, _options(settings) + rest)]
    return words


def _options(settings: dict[str, Any]) -> list[str]:
    words = []
    for name, value in settings.items():
        if name == "" or value is None or value is False:
            continue
        option = "--" + name.replace("_", "-")
        if value is True:
            words.append(option)
            continue
        for each in value if isinstance(value, list) else [value]:
            text = f"{each:.12g}" if isinstance(each, float) else str(each)
            if text.startswith("-"):
                # it would be taken for an option of its own
                words.append(f"{option}={text}")
            else:
                words += [option, text]
    return words


def _around(settings: dict[str, Any], options: list[str]) -> list[str]:
    """Put positional arguments first, or last after "--" where one looks like an option."""
    words = [str(value) for value in settings.get("", [])]
    if any(word.startswith("-") for word in words):
        return [*options, "--", *words]
    return [*words, *options]

"""What a device calls itself, in words: the browser or program, and the system it runs on."""

from dataclasses import dataclass

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrom", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_HANDHELD = frozenset({"iPhone", "iPad", "Android"})
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Device:
    """A browser or a program, and its system where it names one."""

    name: str
    system: str = ""

    @property
    def is_handheld(self) -> bool:
        """Tell whether it is a phone or a tablet."""
        return self.system in _HANDHELD


def device_of(user_agent: str) -> Device:
    """Read the name that a device gives itself; a program's first word stands for the program."""
    text = user_agent.strip()
    system = next((name for mark, name in _SYSTEMS if mark in text), "")
    if text.startswith(("Mozilla/", "Opera/")):
        return Device(next((name for mark, name in _BROWSERS if mark in text), ""), system)
    return Device(text.split("/", 1)[0].split(" ", 1)[0][:_LONGEST], system)

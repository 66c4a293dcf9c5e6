"""
The environment, read once into a frozen `Settings`.

`groups.py` declares every variable, `readers.py` reads the text of one, `environment.py` all of them; `description.py`
is `config show`. Only `server` and `cli` import this package; other packages receive values.
"""

from kaisoumail.settings.environment import BadEnvironment as BadEnvironment
from kaisoumail.settings.environment import settings_from as settings_from
from kaisoumail.settings.settings import Settings as Settings

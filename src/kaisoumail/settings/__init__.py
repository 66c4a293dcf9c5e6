"""
The environment, read once into a frozen `Settings`.

`environment.py` has every variable; `readers.py` reads the text of one. Only `server` and `cli` import this package;
other packages receive values.
"""

from kaisoumail.settings.environment import SECRETS as SECRETS
from kaisoumail.settings.environment import BadEnvironment as BadEnvironment
from kaisoumail.settings.environment import Settings as Settings
from kaisoumail.settings.environment import describe as describe
from kaisoumail.settings.environment import settings_from as settings_from

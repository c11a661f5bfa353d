"""MSAL under remote control: builds one client, then calls what it is told to and says what that gave.

The first line on standard input holds the arguments of the client, and the state of its token cache if there is one.
Every further line names a method and its arguments; the answer is one line on standard output. The last line of a
conversation asks for `cache`.
"""

import json
import sys

import msal

told = json.loads(sys.stdin.readline())
cache = msal.SerializableTokenCache()
if told.get("cache"):
    cache.deserialize(told["cache"])
client = msal.ConfidentialClientApplication(token_cache=cache, **told["client"])

for line in sys.stdin:
    asked = json.loads(line)
    if asked["call"] == "cache":
        answer = cache.serialize()
    else:
        answer = getattr(client, asked["call"])(**asked["arguments"])
    print(json.dumps(answer), flush=True)

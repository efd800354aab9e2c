"""Print a bearer token for a user: `python -m service.token --user UUID [--ttl SECONDS]`."""

from __future__ import annotations

import argparse
import sys
from uuid import UUID

from service.auth import make_token
from service.resources import token_rules
from service.settings import WrongSetting, read_settings

DEFAULT_TTL_S = 3600


def main() -> int:
    """Print the token; 2 and one line on stderr when that cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m service.token", description=__doc__)
    parser.add_argument("--user", type=UUID, required=True, help="the user's id, a UUID")
    parser.add_argument(
        "--ttl", type=int, default=DEFAULT_TTL_S, help="seconds that the token lives"
    )
    arguments = parser.parse_args()
    try:
        rules = token_rules(read_settings())
    except WrongSetting as error:
        print(error, file=sys.stderr)
        return 2
    if rules.secret is None:
        print("AUTH_JWT_SECRET: not set, and AUTH_JWKS_URL refuses other tokens", file=sys.stderr)
        return 2
    print(make_token(arguments.user, rules, ttl_s=arguments.ttl))
    return 0


if __name__ == "__main__":
    sys.exit(main())

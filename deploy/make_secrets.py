"""Makes the secrets of docker-compose.yaml, each in a file of its own below ./secrets; those that exist stay.

    python3 deploy/make_secrets.py [folder]

Standard library only. The forge's token, its webhook's secret and Gemini's key are yours: they are made empty, fill in
what you have.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from pathlib import Path

USERS = ("admin", "user", "viewer")
YOURS = ("forge_token", "gemini_key", "webhook_secret", "git_credentials", "ssh_key", "ssh_passphrase",
         "ssh_known_hosts", "kafka_properties")  # fmt: skip
"""Made empty: what they open is not used until they are filled (docs/howto/credentials.md)."""


def main(folder: Path) -> None:
    """Writes what is missing; tells what a person needs."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def secret(name: str, value: str) -> str:
        path = folder / name
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w") as file:
                file.write(value)
        return path.read_text()

    postgres = secret("postgres_password", secrets.token_urlsafe(24))
    secret("airflow_database_url", f"postgresql+psycopg2://airflow:{postgres}@postgres/airflow")
    admin = secret("airflow_admin_password", secrets.token_urlsafe(18))
    passwords = {name: admin if name == "admin" else secrets.token_urlsafe(18) for name in USERS}
    secret("airflow_passwords", json.dumps(passwords))
    secret("airflow_api_secret", secrets.token_urlsafe(48))
    secret("airflow_jwt_secret", secrets.token_urlsafe(64))
    secret("airflow_fernet_key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    secret("spark_secret", secrets.token_urlsafe(48))
    for name in YOURS:
        secret(name, "")
    sys.stdout.write(
        f"The secrets are in {folder}, for you and for the containers only: the folder is closed to others.\n"
        f"Airflow's admin password is in {folder / 'airflow_admin_password'}; put the forge's token into"
        f" {folder / 'forge_token'}, and Gemini's key, if you have one, into {folder / 'gemini_key'}.\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "secrets").absolute())

"""poke: drive an actor from a management command, as a site's own code would, and print the outcome."""

from django.core.management.base import BaseCommand

from troupe.errors import ActorError
from troupe.sync import create_session_actor


class Command(BaseCommand):
    """See the module."""

    def add_arguments(self, parser):
        parser.add_argument("path")
        parser.add_argument("events", nargs="*")

    def handle(self, path, events, **_):
        actor = create_session_actor("poke")
        try:
            self.stdout.write(actor.mount(path, {})["html"])
            for name in events:
                self.stdout.write(actor.event(name, {})["html"])
            self.stdout.write(f"ping {actor.ping()}")
            actor.shutdown()
        except ActorError as error:
            self.stdout.write(f"{error.outcome} {error.kind}: {error}")

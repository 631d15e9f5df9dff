"""The integration test that the project began with, word for word, over inproc:// and the real turns of worker/."""

import pytest

from troupe import LiveView, create_session_actor

pytest.importorskip("troupe._native")
pytestmark = pytest.mark.asyncio


# fmt: off
async def test_actor_event_handling():
    """Test that events call Python handlers through actors"""
    class CounterView(LiveView):
        template_string = "<div>{{ count }}</div>"
        use_actors = True

        def mount(self, request):
            self.count = 0

        def increment(self):
            self.count += 1

    # Create actor and mount
    handle = await create_session_actor("test-session")
    view = CounterView()
    view.mount(None)

    # Mount with Python view
    result = await handle.mount(
        "test.CounterView",
        {},
        view  # Pass Python instance
    )

    # Trigger event
    result = await handle.event("increment", {})

    # Verify handler was called
    assert view.count == 1  # Python state updated!
    assert "<div>1</div>" in result["html"]

"""The order of the tests: those that take long are spread among the others, lest one process is left with them at the end."""

LONG = ("test_crm.py", "test_federation_net.py", "test_webhooks.py")  # each of their tests has a stack of its own


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: it measures times, and scripts/test runs it when all others are done")


def pytest_collection_modifyitems(items):
    long = [i for i in items if i.path.name in LONG]
    others = [i for i in items if i.path.name not in LONG]
    if not long or not others:
        return
    step = max(1, len(others) * 2 // 3 // len(long))
    for n, item in enumerate(long):
        others.insert(n * (step + 1), item)
    items[:] = others

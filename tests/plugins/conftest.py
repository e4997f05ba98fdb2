import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Small products are quicker on one thread, and as fast on a busy machine."""
    torch.set_num_threads(1)

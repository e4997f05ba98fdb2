"""From a suite to stored runs: the plan, the child process and the store."""

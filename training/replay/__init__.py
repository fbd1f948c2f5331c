"""Replay of recorded outcomes with bandit feedback: the learner sees the reward of the arm it chose, nothing else."""

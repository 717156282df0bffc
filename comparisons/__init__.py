"""Paired experiments: train from scratch, or fine-tune a pretrained base?"""

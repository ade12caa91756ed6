"""Whom to cite for what is used."""

_ENTRIES = {
    "mflow": """@inproceedings{brehmer2020flows,
  title = {Flows for simultaneous manifold learning and density estimation},
  author = {Brehmer, Johann and Cranmer, Kyle},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2020},
  eprint = {2003.13913},
  archivePrefix = {arXiv},
}""",
    "spline": """@inproceedings{durkan2019neural,
  title = {Neural spline flows},
  author = {Durkan, Conor and Bekasov, Artur and Murray, Iain and Papamakarios, George},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2019},
  eprint = {1906.04032},
  archivePrefix = {arXiv},
}""",
    "physics-vae": """@inproceedings{takeishi2021physics,
  title = {Physics-integrated variational autoencoders for robust and interpretable generative modeling},
  author = {Takeishi, Naoya and Kalousis, Alexandros},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2021},
  eprint = {2102.13156},
  archivePrefix = {arXiv},
}""",
    "ppca": """@article{tipping1999probabilistic,
  title = {Probabilistic principal component analysis},
  author = {Tipping, Michael E. and Bishop, Christopher M.},
  journal = {Journal of the Royal Statistical Society: Series B},
  volume = {61},
  number = {3},
  pages = {611--622},
  year = {1999},
}""",
}

_USED = {
    "mflow": ("mflow", "spline"),
    "manifold-density": ("mflow", "spline"),
    "ambient-flow": ("spline",),
    "physics-vae": ("physics-vae",),
    "probabilistic-pca": ("ppca",),
}


def bibtex(name: str) -> str:
    """The BibTeX entries of the methods in the estimator of this name."""
    return "\n\n".join(_ENTRIES[key] for key in _USED[name])

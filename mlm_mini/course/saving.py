"""What the server of `learn` leaves out when it saves a notebook."""


def drop_python_version(model: dict, **_: object) -> None:
    """Removes the version of the kernel's Python from a notebook that is about to be saved.

    JupyterLab writes it as soon as a notebook is opened. All else that it writes then stands in a built notebook
    already (`notebook.METADATA`), so that one that was only looked at is saved as it was.
    model: as the server's `pre_save_hook` has it; files of other types are left alone.
    """
    if model["type"] == "notebook":
        model["content"]["metadata"].get("language_info", {}).pop("version", None)

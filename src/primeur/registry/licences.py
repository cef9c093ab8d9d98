"""Licences are SPDX expressions; pure.

Source: SPDX specification 3.0, annex B, and its list of licences, as `packaging.licenses` has them.
"""

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from primeur.core.errors import BadRequest


def check_licence(said: str | None) -> str | None:
    """Give a licence in its canonical spelling; None when nobody said.

    Raises:
        BadRequest: not an SPDX expression.
    """
    if not said:
        return None
    try:
        return str(canonicalize_license_expression(said))
    except InvalidLicenseExpression:
        raise BadRequest(
            f"{said!r} is not an SPDX licence expression; write one such as Apache-2.0 or MIT OR Apache-2.0, or"
            " LicenseRef-NAME for a licence that has no id",
            param="licence",
        ) from None

"""What columns of ours mean, in the words of the IVOA (UCD1+ controlled vocabulary, version 1.5).

A column that an archive has described keeps the archive's UCD. The table below is for columns that we make; it is
looked at only in tables of objects on the sky, where names such as ``l`` or ``class`` have one meaning.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

#: Where in the spectrum each standard band lies.
BANDS: Final[Mapping[str, str]] = {
    "g": "em.opt",
    "bp": "em.opt.B",
    "rp": "em.opt.R",
    "j": "em.IR.J",
    "h": "em.IR.H",
    "k": "em.IR.K",
    "ks": "em.IR.K",
    "w1": "em.IR.3-4um",
    "w2": "em.IR.4-8um",
    "w3": "em.IR.8-15um",
    "w4": "em.IR.15-30um",
}
_NAMES: Final[Mapping[str, str]] = {
    "source_id": "meta.id;meta.main",
    "designation": "meta.id",
    "ra": "pos.eq.ra;meta.main",
    "dec": "pos.eq.dec;meta.main",
    "l": "pos.galactic.lon",
    "b": "pos.galactic.lat",
    "parallax": "pos.parallax.trig",
    "pmra": "pos.pm;pos.eq.ra",
    "pmdec": "pos.pm;pos.eq.dec",
    "radial_velocity": "spect.dopplerVeloc;em.opt",
    "ruwe": "stat.fit.goodness",
    "distance": "pos.distance",
    "distance_pc": "pos.distance",
    "angular_distance": "pos.angDistance",
    "angular_distance_2mass": "pos.angDistance",
    "angular_distance_wise": "pos.angDistance",
    "bp_rp": "phot.color;em.opt.B;em.opt.R",
    "class": "meta.code.class",
    "label": "meta.code.class",
    "lada": "meta.code.class",
    "lada_class": "meta.code.class",
    "set": "meta.code.class",
    "trust": "meta.code.qual",
    "probability": "stat.probability",
    "alpha": "spect.index",
    "spectral_index": "spect.index",
    "alpha_bands": "meta.number",
    "lada_share": "stat.probability",
    "luminosity": "phys.luminosity",
    "teff": "phys.temperature.effective",
    "temperature": "phys.temperature.effective",
    "a_v": "phys.absorption;em.opt.V",
    "av": "phys.absorption;em.opt.V",
    "chi2": "stat.fit.chi2",
    "ph_qual": "meta.code.qual;phot",
    "ph_qual_2mass": "meta.code.qual;phot",
    "ph_qual_wise": "meta.code.qual;phot",
    "cc_flags": "meta.code.qual",
    "ext_flag": "meta.code",
    "number_of_mates": "meta.number",
    "model": "meta.id;meta.modelled",
    "model_version": "meta.version;meta.modelled",
    "rating": "meta.code.qual",
    "author": "meta.id",
}
#: What a quantity of a band is; the band is the first or the last word of the name.
_QUANTITIES: Final[Mapping[str, str]] = {
    "mag": "phot.mag",
    "magnitude": "phot.mag",
    "flux": "phot.flux.density",
    "f_nu": "phot.flux.density",
    "f_lambda": "phot.flux.density",
    "fnu": "phot.flux.density",
    "flambda": "phot.flux.density",
    "power": "phot.flux",
    "lambda_f_lambda": "phot.flux",
    "nu_f_nu": "phot.flux",
}
_LIGHT: Final = {"phot.color", "phot.flux", "phot.flux.density", "phot.mag"}
_QUANTITY: Final = "|".join(sorted(_QUANTITIES, key=len, reverse=True))
_BAND: Final = "|".join(sorted(BANDS, key=len, reverse=True))
_OF_BAND: Final = re.compile(rf"(?:(?P<b1>{_BAND})_(?P<q1>{_QUANTITY})|(?P<q2>{_QUANTITY})_(?P<b2>{_BAND}))")
_INDEX: Final = re.compile(rf"alpha(?:_(?:{_BAND}|fit))+")
_COLOUR: Final = re.compile(rf"(?P<blue>{_BAND})_(?P<red>{_BAND})")
_OF_CLASS: Final = re.compile(r"P\(.+\)")
_ERRORS: Final = ("_error", "_err")
#: Only what is measured has an error.
_MEASURED: Final = ("phot", "phys", "pos", "spect")
_SKY: Final = ({"ra", "dec"}, {"source_id"})


def ucd_of(name: str) -> str:
    """Give the UCD of a column of a table of objects, "" if its name says nothing.

    Examples
    --------
    >>> ucd_of("w1_flux"), ucd_of("ks_mag_error"), ucd_of("P(star)")
    ('phot.flux.density;em.IR.3-4um', 'stat.error;phot.mag;em.IR.K', 'stat.probability')
    >>> ucd_of("j_h"), ucd_of("alpha_ks_w4"), ucd_of("comment")
    ('phot.color;em.IR.J;em.IR.H', 'spect.index', '')
    """
    if _OF_CLASS.fullmatch(name):
        return "stat.probability"
    name = name.lower()
    for ending in _ERRORS:
        if name.endswith(ending):
            inner = ucd_of(name.removesuffix(ending)).removesuffix(";meta.main")
            return f"stat.error;{inner}" if inner.startswith(_MEASURED) else ""
    return _NAMES.get(name) or _of_band(name)


def joined(own: str, usual: str) -> str:
    """Give the UCD of a column that has one: with the bands that its name says, if it is of light and says none.

    Examples
    --------
    >>> joined("phot.flux", ucd_of("w1_flux")), joined("phot.flux;em.radio", ucd_of("w1_flux"))
    ('phot.flux;em.IR.3-4um', 'phot.flux;em.radio')
    """
    if own.removeprefix("stat.error;") not in _LIGHT:
        return own or usual
    return ";".join([own, *(word for word in usual.split(";") if word.startswith("em."))])


def is_sky(names: Collection[str]) -> bool:
    """Say whether columns are those of objects on the sky.

    Examples
    --------
    >>> is_sky(["ra", "dec", "class"]), is_sky(["time", "b"])
    (True, False)
    """
    return any(one <= set(names) for one in _SKY)


def _of_band(name: str) -> str:
    found = _OF_BAND.fullmatch(name)
    if found:
        quantity, band = found["q1"] or found["q2"], found["b1"] or found["b2"]
        return f"{_QUANTITIES[quantity]};{BANDS[band]}"
    if _INDEX.fullmatch(name):
        return "spect.index"
    colour = _COLOUR.fullmatch(name)
    return f"phot.color;{BANDS[colour['blue']]};{BANDS[colour['red']]}" if colour else ""

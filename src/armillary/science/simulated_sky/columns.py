"""Columns by the names, types, units and UCDs of Gaia's archive (Gaia DR3 documentation, chapter 20)."""

from typing import Any, Final, NamedTuple


class Described(NamedTuple):
    """A column: its name, Arrow type, unit, UCD and what it holds."""

    name: str
    type: str
    unit: str = ""
    ucd: str = ""
    about: str = ""


def field_of(one: Described) -> Any:
    """Give the Arrow field with unit, UCD and description in its metadata."""
    import pyarrow as pa

    kind = getattr(pa, {"str": "string", "bool": "bool_"}.get(one.type, one.type))()
    return pa.field(one.name, kind, metadata={"unit": one.unit, "ucd": one.ucd, "description": one.about})


def _photometry(band: str, letter: str, em: str) -> tuple[Described, ...]:
    return (
        Described(f"phot_{band}_mean_flux", "float64", "s**-1", f"phot.flux;{em}", f"{letter} mean flux, electrons"),
        Described(f"phot_{band}_mean_flux_error", "float32", "s**-1", f"stat.error;phot.flux;{em}",
                  f"Error of the {letter} mean flux"),
        Described(f"phot_{band}_mean_flux_over_error", "float32", "", f"stat.snr;phot.flux;{em}",
                  f"{letter} mean flux over its error"),
        Described(f"phot_{band}_mean_mag", "float32", "mag", f"phot.mag;{em}", f"{letter} mean magnitude, Vega"),
    )  # fmt: skip


SOURCE_ID: Final = Described("source_id", "int64", "", "meta.id;meta.main", "Unique identifier of the source")
GAIA: Final = (
    SOURCE_ID,
    Described("random_index", "int64", "", "meta.code", "Random index for choosing subsets"),
    Described("ra", "float64", "deg", "pos.eq.ra;meta.main", "Right ascension, ICRS, epoch 2016.0"),
    Described("ra_error", "float32", "mas", "stat.error;pos.eq.ra", "Standard error of right ascension"),
    Described("dec", "float64", "deg", "pos.eq.dec;meta.main", "Declination, ICRS, epoch 2016.0"),
    Described("dec_error", "float32", "mas", "stat.error;pos.eq.dec", "Standard error of declination"),
    Described("parallax", "float64", "mas", "pos.parallax.trig", "Parallax"),
    Described("parallax_error", "float32", "mas", "stat.error;pos.parallax.trig", "Standard error of parallax"),
    Described("parallax_over_error", "float32", "", "stat.snr;pos.parallax.trig", "Parallax over its error"),
    Described("pm", "float32", "mas.yr**-1", "pos.pm", "Total proper motion"),
    Described("pmra", "float64", "mas.yr**-1", "pos.pm;pos.eq.ra", "Proper motion in right ascension, cos(dec) in it"),
    Described("pmra_error", "float32", "mas.yr**-1", "stat.error;pos.pm;pos.eq.ra", "Standard error of pmra"),
    Described("pmdec", "float64", "mas.yr**-1", "pos.pm;pos.eq.dec", "Proper motion in declination"),
    Described("pmdec_error", "float32", "mas.yr**-1", "stat.error;pos.pm;pos.eq.dec", "Standard error of pmdec"),
    Described("astrometric_excess_noise", "float32", "mas", "stat.value", "Excess noise of the source"),
    Described("astrometric_params_solved", "int16", "", "meta.number", "Which parameters were solved for: 3, 31 or 95"),
    Described("nu_eff_used_in_astrometry", "float32", "um**-1", "em.wavenumber", "Effective wavenumber used"),
    Described("pseudocolour", "float32", "um**-1", "em.wavenumber", "Wavenumber estimated with the astrometry"),
    Described("visibility_periods_used", "int16", "", "meta.number", "Visibility periods used"),
    Described("ruwe", "float32", "", "stat.error", "Renormalised unit weight error"),
    Described("duplicated_source", "bool", "", "meta.code.status", "Source with more than one identifier"),
    *_photometry("g", "G", "em.opt"),
    *_photometry("bp", "BP", "em.opt.B"),
    *_photometry("rp", "RP", "em.opt.R"),
    Described("phot_bp_rp_excess_factor", "float32", "", "arith.factor;phot.flux;em.opt", "Flux of BP and RP over G"),
    Described("bp_rp", "float32", "mag", "phot.color;em.opt.B;em.opt.R", "BP - RP"),
    Described("bp_g", "float32", "mag", "phot.color;em.opt.B;em.opt", "BP - G"),
    Described("g_rp", "float32", "mag", "phot.color;em.opt;em.opt.R", "G - RP"),
    Described("radial_velocity", "float32", "km.s**-1", "spect.dopplerVeloc.opt;em.opt.I", "Radial velocity"),
    Described("radial_velocity_error", "float32", "km.s**-1", "stat.error;spect.dopplerVeloc.opt;em.opt.I",
              "Error of the radial velocity"),
    Described("l", "float64", "deg", "pos.galactic.lon", "Galactic longitude"),
    Described("b", "float64", "deg", "pos.galactic.lat", "Galactic latitude"),
    Described("ecl_lon", "float64", "deg", "pos.ecliptic.lon", "Ecliptic longitude"),
    Described("ecl_lat", "float64", "deg", "pos.ecliptic.lat", "Ecliptic latitude"),
)  # fmt: skip
_TMASS_LIGHT: Final = tuple(
    one
    for band, em in (("j", "em.IR.J"), ("h", "em.IR.H"), ("ks", "em.IR.K"))
    for one in (
        Described(f"{band}_m", "float32", "mag", f"phot.mag;{em}", f"{band.capitalize()} magnitude, Vega"),
        Described(
            f"{band}_msigcom", "float32", "mag", f"stat.error;phot.mag;{em}", f"Error of {band}_m; null: a limit"
        ),
    )
)
_ALLWISE_LIGHT: Final = tuple(
    one
    for band, em in (("w1", "em.IR.3-4um"), ("w2", "em.IR.4-8um"), ("w3", "em.IR.8-15um"), ("w4", "em.IR.15-30um"))
    for one in (
        Described(f"{band}mpro", "float32", "mag", f"phot.mag;{em}", f"{band.upper()} magnitude, Vega"),
        Described(f"{band}mpro_error", "float32", "mag", f"stat.error;phot.mag;{em}",
                  f"Error of {band}mpro; null: a limit"),
    )
)  # fmt: skip
_TMASS_QUALITY: Final = Described("ph_qual", "str", "", "meta.code.qual;phot", "Quality of J, H, Ks: A to D, U a limit")
_ALLWISE_QUALITY: Final = Described(
    "ph_qual", "str", "", "meta.code.qual;phot", "Quality of W1 to W4: A to C, U a limit"
)
_FLAGS: Final = (
    Described("cc_flags", "str", "", "meta.code.qual", "Contamination by a bright neighbour, a letter a band"),
    Described("ext_flag", "int32", "", "meta.code", "Extended: 0 no; 1 to 5 it looks so"),
)
_POSITION: Final = (
    Described("ra", "float64", "deg", "pos.eq.ra;meta.main", "Right ascension, J2000"),
    Described("dec", "float64", "deg", "pos.eq.dec;meta.main", "Declination, J2000"),
)
TMASS: Final = (
    Described("tmass_oid", "int32", "", "meta.id;meta.main", "Number of the source in this table; not the clean one"),
    Described("designation", "str", "", "meta.id", "Name by position"),
    *_POSITION,
    Described(
        "err_maj", "float32", "arcsec", "phys.angSize.smajAxis;stat.error;pos", "Longer axis of the position's error"
    ),
    Described("err_min", "float32", "arcsec", "phys.angSize.sminAxis;stat.error;pos", "Shorter axis"),
    Described("err_ang", "float32", "deg", "pos.posAng;stat.error;pos", "Angle of the longer axis"),
    *_TMASS_LIGHT,
    _TMASS_QUALITY,
    Described("ext_key", "int32", "", "meta.id.cross", "Number in the catalogue of extended sources"),
    Described("j_date", "float64", "d", "time.epoch", "Julian date of the observation"),
)
ALLWISE: Final = (
    Described("allwise_oid", "int64", "", "meta.id;meta.main", "Number of the source, by declination"),
    Described("designation", "str", "", "meta.id", "Name by position"),
    *_POSITION,
    Described("ra_error", "float32", "arcsec", "stat.error;pos.eq.ra", "Standard error of right ascension"),
    Described("dec_error", "float32", "arcsec", "stat.error;pos.eq.dec", "Standard error of declination"),
    *_ALLWISE_LIGHT,
    *_FLAGS,
    Described("var_flag", "str", "", "src.var", "Likelihood of change a band, 0 to 9"),
    _ALLWISE_QUALITY,
)
_MATCH: Final = (
    SOURCE_ID,
    Described("original_ext_source_id", "str", "", "meta.id.cross", "Name of the counterpart"),
    Described("angular_distance", "float32", "arcsec", "pos.angDistance", "Distance of the counterpart"),
    Described("xm_flag", "int16", "", "meta.code.status", "How it was matched"),
)
_MATES: Final = (
    Described("number_of_neighbours", "int16", "", "meta.number", "Counterparts in reach"),
    Described("number_of_mates", "int16", "", "meta.number", "Other sources with the same counterpart"),
)
CLEAN_OID: Final = Described(
    "clean_tmass_psc_xsc_oid", "int32", "", "meta.id.cross", "Number of the cleaned counterpart"
)
TMASS_MATCH: Final = (*_MATCH, CLEAN_OID, *_MATES)
ALLWISE_MATCH: Final = (*_MATCH, ALLWISE[0]._replace(ucd="meta.id.cross"), *_MATES)
TMASS_JOIN: Final = (
    Described("original_psc_source_id", "str", "", "meta.id.cross", "Name in the catalogue of point sources"),
    Described("original_xsc_source_id", "str", "", "meta.id.cross", "Name in the catalogue of extended sources"),
    CLEAN_OID._replace(ucd="meta.id.cross"),
)
#: One row a source, as the join of all of them gives it.
FLAT: Final = (
    *GAIA,
    *_TMASS_LIGHT,
    _TMASS_QUALITY._replace(name="tmass_ph_qual"),
    *_ALLWISE_LIGHT,
    *_FLAGS,
    _ALLWISE_QUALITY._replace(name="allwise_ph_qual"),
    Described("tmass_angular_distance", "float32", "arcsec", "pos.angDistance", "Distance of the 2MASS counterpart"),
    Described(
        "allwise_angular_distance", "float32", "arcsec", "pos.angDistance", "Distance of the AllWISE counterpart"
    ),
    *_MATES,
)
TRUTH: Final = (
    SOURCE_ID,
    Described("class", "str", "", "src.class", "What it is"),
    Described("subclass", "str", "", "src.class", "I, flat or II, of young stars"),
    Described("region", "str", "", "meta.id.parent", "Star-forming region, of young stars"),
    Described("teff", "float64", "K", "phys.temperature.effective", "Effective temperature"),
    Described("distance", "float64", "pc", "pos.distance", "Distance, of what is in the Galaxy"),
    Described("a_v", "float64", "mag", "phys.absorption;em.opt.V", "Dust before it in V, R_V = 3.1"),
    Described("alpha", "float64", "", "spect.index", "Slope of lambda F_lambda from Ks to W4, of young stars"),
    Described("redshift", "float64", "", "src.redshift", "Redshift, of quasars and galaxies"),
    Described("clouded", "bool", "", "meta.code.status", "W3 and W4 may be a nebula's, not its own"),
    Described("blended", "bool", "", "meta.code.status", "A neighbour adds to W1 to W4"),
)

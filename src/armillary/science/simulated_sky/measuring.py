"""What Gaia, 2MASS and AllWISE measured of the sources: noise, gaps and flags as in their catalogues."""

from typing import Final

import numpy as np

from armillary.science.photometry.light import magnitude_error
from armillary.science.simulated_sky.bodies import CLASSES, GAIA_ZERO_POINTS, excess_factor
from armillary.science.simulated_sky.draws import Array, Draws
from armillary.science.simulated_sky.places import Places, ecliptic, galactic

#: Magnitude of five sigma and smallest error of each band.
LIMITS: Final = {
    "g": (24.2, 0.0028), "bp": (21.3, 0.003), "rp": (21.2, 0.004),
    "j": (16.9, 0.022), "h": (16.1, 0.022), "ks": (15.4, 0.022),
    "w1": (17.1, 0.022), "w2": (16.0, 0.02), "w3": (11.7, 0.015), "w4": (8.1, 0.02),
}  # fmt: skip
_YOUNG, _QUASAR, _GALAXY = (CLASSES.index(name) for name in ("young stellar object", "quasar", "galaxy"))
#: Mean offset of parallaxes (mas; Lindegren et al. 2021, A&A 649, A4).
PARALLAX_OFFSET: Final = -0.03
_MAG: Final = 2.5 / np.log(10)


def measure(kind: Array, where: Places, draws: Draws) -> dict[str, Array]:
    """Give the columns of the three catalogues by the names that Gaia's archive gives them.

    Missing numbers are NaN. Columns that two catalogues have begin with ``tmass_`` or ``allwise_``; ``in_tmass`` and
    ``in_allwise`` say whether a source has a counterpart there.
    """
    found = _gaia_light(kind, where, draws)
    found |= _astrometry(kind, where, found, draws)
    found |= _radial_velocity(kind, found, draws)
    found |= _tmass(where, draws)
    found |= _allwise(kind, where, draws)
    return found | _matches(found["in_tmass"], found["in_allwise"], draws)


def _noisy(band: str, magnitude: Array, draws: Draws) -> tuple[Array, Array]:
    """Measure a flux: give the magnitude, NaN where the flux came out negative, and its error."""
    limit, floor = LIMITS[band]
    true_error = magnitude_error(np.minimum(magnitude, 40), limit, floor)
    share = 1 + draws.z(band) * true_error / _MAG
    seen = np.where(share > 0, magnitude - 2.5 * np.log10(np.maximum(share, 1e-9)), np.nan)
    return seen, magnitude_error(seen, limit, floor)


def _gaia_light(kind: Array, where: Places, draws: Draws) -> dict[str, Array]:
    found: dict[str, Array] = {}
    lost = draws.u("lost") < 0.01
    for place, band in enumerate(("g", "bp", "rp")):
        seen, error = _noisy(band, where.magnitudes[place], draws)
        gone = (lost | ~(error < 1.0)) if band != "g" else np.zeros(len(kind), bool)
        seen = np.where(gone, np.nan, seen)
        flux = 10 ** (0.4 * (GAIA_ZERO_POINTS[band] - seen))
        over = np.where(gone, np.nan, _MAG / error)
        found[f"phot_{band}_mean_mag"], found[f"phot_{band}_mean_flux"] = seen, flux
        found[f"phot_{band}_mean_flux_error"], found[f"phot_{band}_mean_flux_over_error"] = flux / over, over
    bp, rp, g = (found[f"phot_{band}_mean_mag"] for band in ("bp", "rp", "g"))
    light = found["phot_bp_mean_flux"] + found["phot_rp_mean_flux"]
    # Crowded and extended sources, and a little of everything else, have more than their colour tells.
    more = np.where(draws.u("double") < 0.04, 0.15 * draws.u("mate"), 0.0) + 0.004 * draws.z("excess")
    found["phot_bp_rp_excess_factor"] = light / found["phot_g_mean_flux"] + more * excess_factor(bp - rp)
    return found | {"bp_rp": bp - rp, "bp_g": bp - g, "g_rp": g - rp}


def _astrometry(kind: Array, where: Places, light: dict[str, Array], draws: Draws) -> dict[str, Array]:
    g = light["phot_g_mean_mag"]
    glow = 10 ** (0.4 * (np.clip(g, 13, 22) - 15))
    ruwe, spread = _ruwe(kind, g, draws)
    # Errors grow with G as in Lindegren et al. 2021, A&A 649, A2; bad fits have worse ones.
    error = 0.02 * np.sqrt(0.6 + 0.85 * glow + 0.0035 * glow**2) * spread
    errors = {"ra": 0.86 * error, "dec": 0.78 * error, "parallax": error, "pmra": 1.03 * error, "pmdec": 0.93 * error}
    true_parallax = 1000 / where.distance + PARALLAX_OFFSET
    found = _solved(where, true_parallax, errors, draws)
    longitude, latitude = galactic(found["ra"], found["dec"])
    ecliptic_longitude, ecliptic_latitude = ecliptic(found["ra"], found["dec"])
    solution = _solution(g, light["bp_rp"], draws)
    for name in ("parallax", "parallax_error", "pmra", "pmra_error", "pmdec", "pmdec_error"):
        found[name] = np.where(solution == 3, np.nan, found[name])
    colour = np.nan_to_num(light["bp_rp"], nan=1.0)
    nu = np.clip(1.76 - 1.61 / np.pi * np.arctan(0.531 * colour), 1.05, 1.9)
    return found | {
        "ruwe": np.where(solution == 3, np.nan, ruwe), "astrometric_params_solved": solution,
        "parallax_over_error": found["parallax"] / found["parallax_error"],
        "pm": np.hypot(found["pmra"], found["pmdec"]),
        "nu_eff_used_in_astrometry": np.where(solution == 31, nu, np.nan),
        "pseudocolour": np.where(solution == 95, nu, np.nan),
        "astrometric_excess_noise": np.maximum(spread - 1, 0) * 0.6 + 0.02 * np.abs(draws.z("ruwe")),
        "visibility_periods_used": (12 + 14 * np.abs(np.sin(np.radians(ecliptic_latitude))) + 4 * draws.u("solved"))
        .astype(np.int16),
        "duplicated_source": draws.u("mate") > 0.995,
        "l": longitude, "b": latitude, "ecl_lon": ecliptic_longitude, "ecl_lat": ecliptic_latitude,
    }  # fmt: skip


def _ruwe(kind: Array, g: Array, draws: Draws) -> tuple[Array, Array]:
    """Give RUWE and how much worse than others the fit is: doubles, discs and galaxies do not fit a point."""
    bad = np.select([kind == _YOUNG, kind == _GALAXY], [0.3, 0.5], 0.07)
    tail = np.where(draws.u("double") < bad, 0.4 - 0.8 * np.log(draws.u("mate")), 0.0)
    ruwe = np.maximum(1.01 + 0.04 * draws.z("ruwe") * (1 + (g < 13)) + tail, 0.7)
    return ruwe, np.maximum(ruwe, 1.0)


def _solution(g: Array, colour: Array, draws: Draws) -> Array:
    """Give which parameters Gaia solved for: position only (3), five (31), or six where the colour is unknown (95)."""
    chance = draws.u("solved")
    faint = chance < np.clip((g - 20.2) * 0.5, 0.002, 0.6)
    six = (chance > 1 - np.clip((g - 18.5) * 0.25, 0.02, 0.6)) | np.isnan(colour)
    return np.where(faint, 3, np.where(six, 95, 31)).astype(np.int16)


def _solved(where: Places, parallax: Array, errors: dict[str, Array], draws: Draws) -> dict[str, Array]:
    off = {name: error * draws.z(name) for name, error in errors.items()}
    milli = 1 / 3.6e6
    found = {
        "ra": (where.ra + off["ra"] * milli / np.cos(np.radians(where.dec))) % 360,
        "dec": np.clip(where.dec + off["dec"] * milli, -90, 90),
        "parallax": parallax + off["parallax"],
        "pmra": where.pmra + off["pmra"],
        "pmdec": where.pmdec + off["pmdec"],
    }
    return found | {f"{name}_error": error for name, error in errors.items()}


def _radial_velocity(kind: Array, light: dict[str, Array], draws: Draws) -> dict[str, Array]:
    g = light["phot_g_mean_mag"]
    has = (g < 14) & (kind < _QUASAR)
    error = 0.3 + 0.02 * 10 ** (0.4 * (np.minimum(g, 14) - 9))
    return {
        "radial_velocity": np.where(has, 35 * draws.z("velocity"), np.nan),
        "radial_velocity_error": np.where(has, error, np.nan),
    }


def _tmass(where: Places, draws: Draws) -> dict[str, Array]:
    """Measure J, H and Ks: A, B, C and D by the signal, U with an upper limit and no error where there is none."""
    found: dict[str, Array] = {}
    letters, best = [], np.zeros(len(where.ra))
    for place, band in enumerate(("j", "h", "ks"), 3):
        seen, error = _noisy(band, where.magnitudes[place], draws)
        signal = np.nan_to_num(_MAG / error)
        best = np.maximum(best, signal)
        found[f"{band}_m"], found[f"{band}_msigcom"] = _limited(band, seen, error, signal < 4, draws)
        letters.append(np.select([signal >= 10, signal >= 7, signal >= 5, signal >= 4], ["A", "B", "C", "D"], "U"))
    quality = np.char.add(np.char.add(letters[0], letters[1]), letters[2])
    return _kept(found | {"tmass_ph_qual": quality}, best >= 7, "in_tmass")


def _limited(band: str, seen: Array, error: Array, faint: Array, draws: Draws) -> tuple[Array, Array]:
    """Put an upper limit in the place of what is too faint."""
    limit = LIMITS[band][0] + 0.8 + 0.2 * draws.u("limit")
    return np.where(faint, limit, seen), np.where(faint, np.nan, error)


def _allwise(kind: Array, where: Places, draws: Draws) -> dict[str, Array]:
    """Measure W1 to W4: A, B and C by the signal, U with an upper limit and no error below two sigma."""
    found: dict[str, Array] = {}
    letters, best = [], np.zeros(len(kind))
    clouded, blended = _clouded(where, draws), _blended(where, draws)
    for place, band in enumerate(("w1", "w2", "w3", "w4"), 6):
        magnitude = where.magnitudes[place] - _added(place - 6, blended, draws)
        if band in {"w3", "w4"}:
            # Bright nebulae look like a faint source at every star before them.
            cloud = LIMITS[band][0] + 1.0 - 3.5 * draws.u("clouded depth")
            magnitude = np.where(clouded, np.minimum(magnitude, cloud), magnitude)
        seen, error = _noisy(band, magnitude, draws)
        signal = np.nan_to_num(_MAG / error)
        if band in {"w1", "w2"}:
            best = np.maximum(best, signal)
        found[f"{band}mpro"], found[f"{band}mpro_error"] = _limited(band, seen, error, signal < 2, draws)
        letters.append(np.select([signal >= 10, signal >= 3, signal >= 2], ["A", "B", "C"], "U"))
    quality = letters[0]
    for one in letters[1:]:
        quality = np.char.add(quality, one)
    found |= {
        "allwise_ph_qual": quality,
        "cc_flags": _contaminated(clouded, draws),
        "ext_flag": _extension(kind, draws),
    }
    return _kept(found, best >= 5, "in_allwise") | {"clouded": clouded, "blended": blended}


def _clouded(where: Places, draws: Draws) -> Array:
    """Say whether a bright nebula lies behind a source: in star-forming regions and along the plane."""
    chance = np.where(where.region >= 0, 0.2, 0.3 * np.exp(-_height(where) / 3))
    return np.asarray(draws.u("clouded") < chance)


def _blended(where: Places, draws: Draws) -> Array:
    """Say whether a neighbour lies within the beam of WISE."""
    return np.asarray(draws.u("blend") < 0.02 + 0.15 * np.exp(-_height(where) / 5))


def _added(place: int, blended: Array, draws: Draws) -> Array:
    """Give how much brighter the neighbour, often a redder one, makes a band of WISE."""
    ratio = draws.u("blend light") ** 2 * 10 ** (0.24 * place * draws.u("blend colour"))
    return np.where(blended, 2.5 * np.log10(1 + ratio), 0.0)


def _height(where: Places) -> Array:
    return np.asarray(np.abs(galactic(where.ra, where.dec)[1]))


def _contaminated(clouded: Array, draws: Draws) -> Array:
    """Give a letter a band: diffraction spike, latent image, halo or ghost of a bright neighbour."""
    kinds = np.array(["0000", "h000", "hh00", "dd00", "00d0", "HHHH", "ddHh", "000P"])
    chance = np.where(clouded, 0.2, 0.06)
    chosen = np.floor(1 + (len(kinds) - 1) * draws.u("flag") / chance).astype(int)
    return kinds[np.where(draws.u("flag") < chance, chosen, 0)]


def _extension(kind: Array, draws: Draws) -> Array:
    chance = np.where(kind == _GALAXY, 0.4, 0.02)
    return np.where(draws.u("extent") < chance, 1 + np.floor(5 * draws.u("match")), 0.0)


def _kept(found: dict[str, Array], has: Array, name: str) -> dict[str, Array]:
    kept = {key: np.where(has, values, "" if values.dtype.kind == "U" else np.nan) for key, values in found.items()}
    return kept | {name: has}


def _matches(in_tmass: Array, in_allwise: Array, draws: Draws) -> dict[str, Array]:
    """Give how the counterparts were found: a few are shared with a neighbour, and farther away."""
    shared = draws.u("mate") < 0.02
    far = np.hypot(draws.z("match east"), draws.z("match north"))
    return {
        "tmass_angular_distance": np.where(in_tmass, np.where(shared, 0.5, 0.08) * far, np.nan),
        "allwise_angular_distance": np.where(in_allwise, np.where(shared, 0.8, 0.15) * far, np.nan),
        "number_of_mates": shared.astype(np.int16),
        "number_of_neighbours": np.where(draws.u("mate") > 0.98, 2, 1).astype(np.int16),
    }

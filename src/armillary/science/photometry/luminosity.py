"""Bolometric fluxes and luminosities from energy distributions."""

from typing import Final, NamedTuple

import numpy as np

from armillary.errors import BadData
from armillary.science.photometry.light import LIGHT, PARSEC, PLANCK
from armillary.science.photometry.photospheres import SOLAR_LUMINOSITY
from armillary.science.photometry.seds import Seds
from armillary.science.plasma import BOLTZMANN, Array, Numbers


class Bolometric(NamedTuple):
    """What shines in all of n sources.

    Parameters
    ----------
    flux, error : array, shape (n,)
        W m-2; the error is that of the measurements, without the scatter of the method.
    temperature : array, shape (n,)
        K: of the black body through the bands of 0.55 to 2.3 micrometres (5 without a band below 1).
    outside : array, shape (n,)
        Share of the flux at wavelengths shorter than the first or longer than the last measured band.
    """

    flux: Array
    error: Array
    temperature: Array
    outside: Array


def bolometric(seds: Seds, *, calibrated: bool = True, least: int = 3) -> Bolometric:
    """Integrate energy distributions.

    Parameters
    ----------
    seds : Seds
        Deredden it first. G is left out where RP is measured: it is too broad to stand for one wavelength.
    calibrated : bool
        Take out what the method gives too much or too little for photospheres of this temperature, see Notes.
    least : int
        Measured bands that are needed.

    Notes
    -----
    The ratio to a black body, which is fitted to the bands up to 2.3 um, is interpolated linearly in log-log, and the
    product integrated by trapezoids in log wavelength from 0.03 to 1000 um. Below the first band the ratio stays
    (Wien's tail); above the last as well (Rayleigh-Jeans). Spectra of late M, L and T dwarfs fall faster than black
    bodies: a source cooler than 3300 K without a band below 1 um has a power law below its first band, as steep as
    such dwarfs are between RP and J.

    Photospheres have absorption between bands and a Balmer jump, so the integral is off in a way that is known: for
    3500 to 12000 K from models of Castelli and Kurucz (2004, log g 4.5, solar) whose flux is sigma T^4, below from
    dwarfs of Pecaut and Mamajek (2013, table of 2019). The factor is between
    -13 % (L dwarfs) and +3 % (F stars) up to 7500 K, and -18 % for A stars.
    """
    place = np.asarray(seds.wavelength)
    power, used = _chosen(seds)
    good = used.sum(axis=1) >= least
    flux, error, temperature, outside = (np.full(len(seds), np.nan) for _ in range(4))
    order = np.argsort(place)
    fine = np.linspace(np.log(0.03), np.log(1000.0), _POINTS)
    spread = _interpolation(fine, np.log(place[order]))
    rows = np.flatnonzero(good)
    for begin in range(0, len(rows), _PORTION):
        part = rows[begin : begin + _PORTION]
        heat = _temperature(place, power[part], used[part])
        found, shares, beyond = _integral(fine, spread, place[order], power[part][:, order], used[part][:, order], heat)
        factor = np.exp(-np.interp(np.log(heat), np.log(_BIAS[0]), _BIAS[1])) if calibrated else 1.0
        relative = seds.power_error[part][:, order] / seds.power[part][:, order]
        flux[part], temperature[part], outside[part] = found * factor, heat, beyond
        known = np.isfinite(relative) & used[part][:, order]
        error[part] = flux[part] * np.where(
            known.any(axis=1), np.sqrt((np.where(known, shares * relative, 0) ** 2).sum(axis=1)), np.nan
        )
    return Bolometric(flux, error, temperature, outside)


class Luminosity(NamedTuple):
    """Luminosities of n sources in that of the Sun; the share of extrapolated flux is in ``outside``."""

    solar: Array
    error: Array
    outside: Array


def luminosity(
    seds: Seds, distance: Numbers, distance_error: Numbers | None = None, *, calibrated: bool = True,
    total: Bolometric | None = None,
) -> Luminosity:  # fmt: skip
    """Give luminosities of isotropic sources.

    Parameters
    ----------
    seds : Seds
    distance, distance_error : float or array, shape (n,)
        Parsec. Without an error the distance counts as exact.
    calibrated : bool
        See `bolometric`.
    total : Bolometric, optional
        What `bolometric` gave for these sources already.
    """
    length = np.broadcast_to(np.asarray(distance, float), (len(seds),))
    if (length <= 0).any():
        raise BadData(f"{int((length <= 0).sum())} distances are not above zero", "set unknown distances to NaN")
    total = bolometric(seds, calibrated=calibrated) if total is None else total
    solar = 4 * np.pi * (length * PARSEC) ** 2 * total.flux / SOLAR_LUMINOSITY
    relative = total.error / total.flux
    if distance_error is not None:
        relative = np.hypot(relative, 2 * np.asarray(distance_error, float) / length)
    return Luminosity(solar, solar * relative, total.outside)


_PORTION: Final = 2048
_POINTS: Final = 180
#: h c / k in um K.
_SECOND: Final = PLANCK * LIGHT / BOLTZMANN * 1e6
_HEATS: Final = np.geomspace(300, 40_000, 246)
#: Slope of lambda F_lambda between RP and J at black-body temperatures (Pecaut and Mamajek).
_STEEPNESS: Final = ((1500.0, 1800.0, 2400.0, 3300.0), (8.0, 7.0, 4.5, 4.0))
#: Black-body temperature (K) and ln of how much too much is integrated there, see `bolometric`.
_BIAS: Final = np.array((
    (1500, 0.14), (1850, 0.13), (2030, 0.09), (2120, 0.04), (2300, 0.03), (2700, 0.025), (3500, 0.025), (3900, 0.015),
    (4360, -0.005), (4930, -0.022), (5510, -0.028), (6120, -0.028), (6790, -0.008), (7540, 0.031), (8370, 0.089),
    (9200, 0.148), (9970, 0.187), (10670, 0.2), (11300, 0.198), (12590, 0.186), (13860, 0.177),
)).T  # fmt: skip


def _chosen(seds: Seds) -> tuple[Array, Array]:
    names = [band.name for band in seds.bands]
    power = seds.power
    used = seds.measured & (power > 0)
    if "G" in names and "RP" in names:
        used[:, names.index("G")] &= ~used[:, names.index("RP")]
    return power, used


def _interpolation(fine: Array, knots: Array) -> Array:
    """Give the matrix that takes values at knots to values on the fine grid; constant beyond the ends, shape (b, m)."""
    return np.stack([np.interp(fine, knots, one) for one in np.eye(len(knots))])


def _body(place: Array, heat: Array) -> Array:
    """Give log of lambda F_lambda of a black body but for a constant; place in um."""
    x = _SECOND / (place * heat[:, None])
    return np.asarray(-4 * np.log(place) - x - np.log(-np.expm1(-x)))


def _temperature(place: Array, power: Array, used: Array) -> Array:
    """Fit black bodies to the bands of 0.55 to 2.3 um.

    Without a band below 1 um methane makes cool dwarfs look hot there: then the lower of this and of a fit up to 5 um.
    """
    near = used & (place > 0.55) & (place < 2.3)
    heat = _body_fit(place, power, np.where(near.sum(axis=1, keepdims=True) >= 2, near, used))
    blind = ~(used & (place < 1.0)).any(axis=1)
    if blind.any():
        wide = used & (place > 0.55) & (place < 5.0)
        wide = np.where(wide.sum(axis=1, keepdims=True) >= 2, wide, used)
        heat[blind] = np.minimum(heat[blind], _body_fit(place, power[blind], wide[blind]))
    return heat


def _body_fit(place: Array, power: Array, near: Array) -> Array:
    """Fit by least squares in log; the temperature between the steps of the grid follows from a parabola."""
    weight = near / near.sum(axis=1, keepdims=True)
    y = np.log(np.where(near, power, 1.0))
    body = _body(place, _HEATS)
    # Variance of y - body over the bands used, for every temperature at once.
    mean_y = (weight * y).sum(axis=1, keepdims=True)
    cross = (weight * y) @ body.T - mean_y * (weight @ body.T)
    spread = weight @ (body**2).T - (weight @ body.T) ** 2
    chi2 = spread - 2 * cross
    best = chi2.argmin(axis=1).clip(1, len(_HEATS) - 2)
    row = np.arange(len(best))
    left, middle, right = (chi2[row, best + step] for step in (-1, 0, 1))
    bend = left - 2 * middle + right
    shift = np.where(bend > 0, 0.5 * (left - right) / np.where(bend > 0, bend, 1), 0).clip(-1, 1)
    logs = np.log(_HEATS)
    return np.asarray(np.exp(logs[best] + shift * (logs[1] - logs[0])))


def _integral(
    fine: Array, spread: Array, place: Array, power: Array, used: Array, heat: Array
) -> tuple[Array, Array, Array]:
    """Give the integral, d ln of it over d ln of each band's flux, and the share outside of the bands."""
    ratio = _filled(np.log(place), np.log(np.where(used, power, 1.0)) - _body(place, heat), used)
    curve = np.exp(ratio @ spread + _body(np.exp(fine), heat))
    first = place[used.argmax(axis=1)]
    last = place[len(place) - 1 - used[:, ::-1].argmax(axis=1)]
    blind = (first > 1.0) & (heat < 3300)
    step = fine[1] - fine[0]
    # Below the first band of a cool source: a power law instead of the black body, as steep as dwarfs are from RP to J.
    power_law = np.interp(heat, *_STEEPNESS)[:, None]
    height = power[np.arange(len(power)), used.argmax(axis=1)]
    below = fine[None] < np.log(first)[:, None]
    steep = height[:, None] * np.exp(power_law * (fine[None] - np.log(first)[:, None]))
    curve = np.where(below & blind[:, None], steep, curve)
    total = curve.sum(axis=1) * step
    beyond = (curve * (below | (fine[None] > np.log(last)[:, None]))).sum(axis=1) * step / total
    shares = curve @ spread.T * step / total[:, None]
    shares = np.where(used, shares, 0)
    return total, shares / shares.sum(axis=1, keepdims=True), beyond


def _filled(x: Array, values: Array, used: Array) -> Array:
    """Fill gaps of each row on the line between its neighbours; constant beyond the first and last."""
    count = len(x)
    at = np.arange(count)
    before = np.maximum.accumulate(np.where(used, at, -1), axis=1)
    after = np.minimum.accumulate(np.where(used, at, count)[:, ::-1], axis=1)[:, ::-1]
    left, right = np.where(before < 0, after, before), np.where(after >= count, before, after)
    low, high = np.take_along_axis(values, left, 1), np.take_along_axis(values, right, 1)
    span = x[right] - x[left]
    share = np.where(span > 0, (x - x[left]) / np.where(span > 0, span, 1), 0)
    return np.asarray(low + share * (high - low))

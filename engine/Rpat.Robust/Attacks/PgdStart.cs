using System.Text.Json.Serialization;

namespace Rpat.Robust.Attacks;

/// <summary>Where training's PGD starts (methods.md 2.1).</summary>
public enum PgdStart
{
    /// <summary>At the image.</summary>
    [JsonStringEnumMemberName("zero")]
    Image,

    /// <summary>
    /// At a random point of the ball, clipped to the box: uniform in the cube, or for L2 a point of the box scaled into the ball.
    /// </summary>
    [JsonStringEnumMemberName("random")]
    Ball,

    /// <summary>At a random point of the cube, not clipped; for L2 as <see cref="Gaussian"/> (TE).</summary>
    Cube,

    /// <summary>At the image plus 0.001 times normal noise per value, not clipped (TRADES, MART).</summary>
    Gaussian,

    /// <summary>For L2, in a normal direction at a uniform radius, clipped to the box (ReBAT, AWP); for L∞ as <see cref="Ball"/>.</summary>
    Direction,
}

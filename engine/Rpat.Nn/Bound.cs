namespace Rpat.Nn;

/// <summary>Bounds of the numbers of layers and optimizers.</summary>
internal static class Bound
{
    /// <exception cref="ArgumentOutOfRangeException">It is negative or no finite number.</exception>
    public static float FromZero(float value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        value >= 0 && float.IsFinite(value) ? value
            : throw new ArgumentOutOfRangeException(name, value, $"{name} is a finite number from 0.");

    /// <exception cref="ArgumentOutOfRangeException">It is not from 0 to below 1.</exception>
    public static float BelowOne(float value, [CallerArgumentExpression(nameof(value))] string name = "") => value is >= 0 and < 1 ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} is a number from 0 to below 1.");
}

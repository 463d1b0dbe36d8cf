namespace Rpat.Nn.Ops;

/// <summary>Bounds of the numbers of layers and optimizers.</summary>
internal static class Bound
{
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public static T Given<T>(T? value, [CallerArgumentExpression(nameof(value))] string name = "") where T : class =>
        value ?? throw new ArgumentNullException(name);

    /// <exception cref="ArgumentOutOfRangeException">It is negative or no finite number.</exception>
    public static float FromZero(float value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        value >= 0 && float.IsFinite(value) ? value
            : throw new ArgumentOutOfRangeException(name, value, $"{name} is a finite number from 0.");

    /// <exception cref="ArgumentOutOfRangeException">It is no finite number.</exception>
    public static double Finite(double value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        double.IsFinite(value) ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} is a finite number.");

    /// <exception cref="ArgumentOutOfRangeException">It is not positive, or no finite number.</exception>
    public static double AboveZero(double value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        value > 0 && double.IsFinite(value) ? value
            : throw new ArgumentOutOfRangeException(name, value, $"{name} is a finite number above 0.");

    /// <exception cref="ArgumentOutOfRangeException">It is below 1.</exception>
    public static int FromOne(int value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        value >= 1 ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} is a whole number from 1.");

    /// <exception cref="ArgumentOutOfRangeException">It is not from 0 to below 1.</exception>
    public static float BelowOne(float value, [CallerArgumentExpression(nameof(value))] string name = "") => value is >= 0 and < 1 ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} is a number from 0 to below 1.");
}

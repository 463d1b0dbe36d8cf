namespace Rpat.Robust;

/// <summary>Refuses what is null before a property of it is read.</summary>
internal static class Argument
{
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public static T Given<T>(T? value, [CallerArgumentExpression(nameof(value))] string name = "") where T : class =>
        value ?? throw new ArgumentNullException(name);
}

namespace Rpat.Engine.Devices;

/// <summary>An op was recorded with operands whose shapes do not match; the message names the op and the shapes.</summary>
public sealed class ShapeException(string op, string problem) : Exception($"{op}: {problem}.")
{
    /// <summary>Name of the op that rejected its operands.</summary>
    public string Op { get; } = op;

    /// <summary>Throws unless the operands fit.</summary>
    /// <exception cref="ShapeException">They do not fit.</exception>
    public static void Require(bool fits, string op, string problem)
    {
        if (!fits) throw new ShapeException(op, problem);
    }
}

/// <summary>Refuses what is null before a property of it is read.</summary>
internal static class Argument
{
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public static T Given<T>(T? value, [CallerArgumentExpression(nameof(value))] string name = "") where T : class =>
        value ?? throw new ArgumentNullException(name);
}

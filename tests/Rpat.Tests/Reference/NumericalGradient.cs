using Xunit.Sdk;

namespace Rpat.Tests.Reference;

/// <summary>Central differences in double precision of a scalar function, and the check of a gradient against them.</summary>
internal static class NumericalGradient
{
    /// <summary>Half the width of the difference; truncation costs about 1e-12 and rounding about 1e-10 of the value.</summary>
    public const double DefaultStep = 1e-6;

    /// <summary>The numerical gradient of f at every entry of <paramref name="at"/>.</summary>
    public static Array4 Of(Func<Array4, double> f, Array4 at, double step = DefaultStep)
    {
        Array4 moving = at.Clone(), result = at.Like();
        for (int i = 0; i < at.Length; i++) result.Data[i] = Differences.At(() => f(moving), moving.Data, i, step);
        return result;
    }

    /// <summary>
    /// Fails unless <paramref name="gradient"/> agrees with the numerical gradient of <paramref name="f"/> at
    /// <paramref name="at"/>. The error of an entry is its difference over the largest magnitude met in either gradient.
    /// More than <paramref name="maxEntries"/> entries are sampled at random from <paramref name="seed"/>.
    /// </summary>
    public static void AssertGradient(
        Func<Array4, double> f, Array4 at, Array4 gradient, double tolerance = 1e-6, int maxEntries = 200, int seed = 1)
    {
        Array4 moving = at.Clone();
        AssertGradient(() => f(moving), moving.Data, gradient.Data, tolerance, maxEntries, seed, i => Index(at, i));
    }

    /// <summary>The same check for a gradient computed in float, in NCHW order.</summary>
    public static void AssertGradient(
        Func<Array4, double> f, Array4 at, ReadOnlySpan<float> gradient, double tolerance, int maxEntries = 200, int seed = 1) =>
        AssertGradient(f, at, Array4.FromFloats(at.N, at.C, at.H, at.W, gradient), tolerance, maxEntries, seed);

    /// <summary>The same check for a function that reads <paramref name="values"/>, which are changed in place and put back.</summary>
    public static void AssertGradient(
        Func<double> f, double[] values, double[] gradient, double tolerance = 1e-6, int maxEntries = 200, int seed = 1,
        Func<int, string>? name = null)
    {
        if (gradient.Length != values.Length)
            throw new XunitException($"The gradient has {gradient.Length} entries, but the function's argument has {values.Length}.");
        int[] entries = Entries(values.Length, maxEntries, seed);
        double[] numerical = Array.ConvertAll(entries, i => Differences.At(f, values, i, DefaultStep));
        Compare(entries, numerical, Array.ConvertAll(entries, i => gradient[i]), tolerance, name ?? (i => $"[{i}]"));
    }

    private static int[] Entries(int length, int maxEntries, int seed)
    {
        int[] all = [.. Enumerable.Range(0, length)];
        if (length <= maxEntries) return all;
        new Random(seed).Shuffle(all);
        return all[..maxEntries];
    }

    private static void Compare(int[] entries, double[] numerical, double[] given, double tolerance, Func<int, string> name)
    {
        if (entries.Length == 0) throw new XunitException("The gradient check was given no entry to compare.");
        // The floor keeps a gradient that is zero everywhere from being judged by the noise of the differences alone.
        double scale = numerical.Concat(given).Max(Math.Abs) + 1e-6;
        double[] errors = [.. numerical.Zip(given, (n, g) => double.IsFinite(n - g) ? Math.Abs(n - g) / scale : double.PositiveInfinity)];
        int worst = Array.IndexOf(errors, errors.Max());
        if (errors[worst] <= tolerance) return;
        throw new XunitException(string.Create(CultureInfo.InvariantCulture,
            $"The gradient at {name(entries[worst])} is {given[worst]:R}, but differences give {numerical[worst]:R}: " +
            $"error {errors[worst]:E2} of the largest entry, allowed {tolerance:E2}."));
    }

    private static string Index(Array4 array, int i) =>
        $"[{i / array.SampleLength}, {i / (array.H * array.W) % array.C}, {i / array.W % array.H}, {i % array.W}]";
}

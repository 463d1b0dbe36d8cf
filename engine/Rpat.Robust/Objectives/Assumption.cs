namespace Rpat.Robust.Objectives;

/// <summary>
/// A value outside a method's own settings that the recipes of its published rows use, though no source gives it (methods.md section 9).
/// </summary>
/// <param name="Key">Full key in configurations.</param>
/// <param name="About">What is uncertain, and where the value comes from.</param>
public sealed record Assumption(string Key, string Value, string About);

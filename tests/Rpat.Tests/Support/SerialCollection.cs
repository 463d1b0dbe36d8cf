namespace Rpat.Tests.Support;

/// <summary>Tests that look at the whole process (allocated bytes, its time, the console) or send it signals: they run alone, after all
/// others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SerialCollection
{
    public const string Name = "serial";
}

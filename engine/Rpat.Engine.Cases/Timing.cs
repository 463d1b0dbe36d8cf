using System.Runtime;

namespace Rpat.Engine.Cases;

/// <summary>Seconds of what is run again and again, as a long run would take them.</summary>
public static class Timing
{
    private const int MostTimes = 8;

    // The runtime compiles a method quickly at first, and once more, well, if it is called often. The second time begins 0.1 s after
    // the last method was compiled for the first time, and 1 s where there is one processor.
    private static readonly TimeSpan _quiet = TimeSpan.FromSeconds(Environment.ProcessorCount > 1 ? 0.25 : 2.5);
    private static readonly Stopwatch _sinceCompiled = Stopwatch.StartNew();
    private static long _compiled;

    /// <summary>
    /// Runs for a time, and on until no method has been compiled for a while, up to eight times as long. Without a time it runs once.
    /// </summary>
    /// <returns>Seconds per run, the last time.</returns>
    public static double Warm(Action run, TimeSpan time)
    {
        if (time == TimeSpan.Zero) return Seconds(run, time);
        var most = MostTimes * (time > _quiet ? time : _quiet);
        double seconds;
        var all = Stopwatch.StartNew();
        IsQuiet();
        do seconds = Seconds(run, time);
        while (!IsQuiet() && all.Elapsed < most);
        return seconds;
    }

    /// <summary>Seconds per run, of at least one run and as many as take a time.</summary>
    public static double Seconds(Action run, TimeSpan time)
    {
        var clock = Stopwatch.StartNew();
        int count = 0;
        do
        {
            run();
            count++;
        }
        while (clock.Elapsed < time);
        return clock.Elapsed.TotalSeconds / count;
    }

    private static bool IsQuiet()
    {
        long compiled = JitInfo.GetCompiledMethodCount();
        if (Interlocked.Exchange(ref _compiled, compiled) != compiled) _sinceCompiled.Restart();
        return _sinceCompiled.Elapsed > _quiet;
    }
}

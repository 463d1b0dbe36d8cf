namespace Rpat.Training;

/// <summary>Disk space that a run folder will need: checkpoints, one more than is kept and one by the clock, and
/// the final networks.</summary>
internal sealed record DiskNeed(long Bytes, long Free)
{
    private const int Networks = 3; // last, best, averaged

    /// <summary>Whether the run fits.</summary>
    public bool Fits => Bytes <= Free;

    /// <summary>Computes it from the sizes of everything in a checkpoint.</summary>
    public static DiskNeed Of(Run run)
    {
        long net = Size(run.Reported.State()), checkpoint = Size(run.Net.State()) + Size(run.Step.State());
        int epochs = (run.TotalSteps + run.StepsPerEpoch - 1) / run.StepsPerEpoch;
        long forGood = Times(epochs, run.Config.Checkpoint.KeepEvery);
        long planned = 1 + Times(epochs, run.Config.Checkpoint.Epochs) + Times(run.TotalSteps, run.Config.Checkpoint.Steps) + forGood;
        long byClock = run.Config.Checkpoint.Seconds > 0 ? 1 : 0; // stays beside those until the next planned one
        long kept = Math.Min(run.Config.Checkpoint.Keep + 1 + forGood, planned) + byClock;
        return new DiskNeed((checkpoint * kept) + (net * Networks), FreeAt(run.Config.Run.Out));
    }

    /// <summary>Refuses a run that would end on a full disk.</summary>
    /// <exception cref="UsageException">There is too little space.</exception>
    public void Require(string folder)
    {
        if (!Fits)
            throw new UsageException(
                $"the run will need about {Sizes.Text(Bytes)} in '{folder}', where {Sizes.Text(Free)} are free: lower checkpoint.keep, "
                    + $"make room, choose another folder as run.out, or insist with run.check_disk=false.");
    }

    private static int Times(int all, int every) => every == 0 ? 0 : all / every;

    private static long Size(IEnumerable<NamedArray> arrays) => arrays.Sum(array => (long)array.Data.Length);

    private static long FreeAt(string folder)
    {
        var place = new DirectoryInfo(Path.GetFullPath(folder));
        while (!place.Exists && place.Parent is not null) place = place.Parent;
        return new DriveInfo(place.FullName).AvailableFreeSpace;
    }
}

namespace Rpat.Trainer.Bench;

/// <summary>Times the data path of a training step: opening the data set, and making batches with and without each augmentation.</summary>
internal sealed class DataBench
{
    private const string Category = "data";
    private static readonly TimeSpan _round = TimeSpan.FromSeconds(0.25), _warm = 2 * _round;

    private readonly TrainerConfig _config;
    private readonly LabeledImages _train;
    private int _epoch;

    /// <summary>Opens the configuration's training images.</summary>
    public DataBench(TrainerConfig config) => (_config, _train) = (config, Open(config).Train);

    /// <summary>What is timed and on what, in one line.</summary>
    public string Description => string.Create(
        CultureInfo.InvariantCulture,
        $"{_config.Data.Name}: {_train.Count:N0} training images of {_train.Channels}x{_train.Height}x{_train.Width}, batches of "
            + $"{Math.Min(_config.Train.Batch, _train.Count)}, made by one background thread");

    /// <summary>What can be timed.</summary>
    public IReadOnlyList<string> Items => [OpenItem, .. Options().Select(pair => pair.Name)];

    private const string OpenItem = "open";

    /// <summary>Times an item; batches are made in the background, as in training.</summary>
    public BenchRow Time(string item, int rounds)
    {
        if (item == OpenItem) return new BenchRow(item, Category, Rounds(() => Open(_config), rounds))
        { Images = _train.Count };
        var stream = new BatchStream(_train, Options().First(pair => pair.Name == item).Options, (ulong)_config.Train.Seed);
        return new BenchRow(item, Category, Rounds(() => stream.Epoch(++_epoch).Count(), rounds)) { Images = _train.Count };
    }

    private static DataPair Open(TrainerConfig config) =>
        DataSets.Open(config.Data.Name, config.Data.Dir.Length == 0 ? null : config.Data.Dir);

    /// <summary>Seconds of one run in each round; a round repeats short runs.</summary>
    private static double[] Rounds(Action run, int rounds)
    {
        Timing.Warm(run, _warm);
        return [.. Enumerable.Range(0, rounds).Select(_ => Timing.Seconds(run, _round)).Order()];
    }

    private List<(string Name, BatchOptions Options)> Options()
    {
        var own = _config.Data.Augment;
        int side = Math.Min(_train.Height, _train.Width);
        BatchOptions Plain(AugmentOptions augment) => new(_config.Train.Batch, augment);
        return
        [
            ("batches, images as they are", Plain(default)),
            ("batches, crop and flip", Plain(new AugmentOptions(Math.Min(4, side - 1), true))),
            ("batches, crop, flip and Cutout", Plain(new AugmentOptions(Math.Min(4, side - 1), true) { Cutout = Math.Max(1, side / 2) })),
            ("batches, crop, flip and CutMix", Plain(new AugmentOptions(Math.Min(4, side - 1), true)) with { CutMix = 1 }),
            ("batches, two views of crop and flip", Plain(new AugmentOptions(Math.Min(4, side - 1), true)) with { TwoViews = true }),
            ("batches, crop, flip and AutoAugment", Plain(new AugmentOptions(Math.Min(4, side - 1), true)) with
            { Policy = new(PolicyKind.AutoAugment) }),
            ("batches, as configured", (own with { CropPad = Math.Min(own.CropPad, side - 1) }).On(Plain(default))),
        ];
    }
}

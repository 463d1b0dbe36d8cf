using Rpat.Robust;

namespace Rpat.Trainer.Config;

/// <summary>Makes the typed records from one entry per key.</summary>
internal sealed class ConfigBinder
{
    private readonly IReadOnlyDictionary<string, Entry> _values;

    private ConfigBinder(IReadOnlyDictionary<string, Entry> values) => _values = values;

    /// <summary>Types every value.</summary>
    /// <exception cref="Errors.ConfigException">A value is not of its key's kind.</exception>
    public static TrainerConfig Bind(IReadOnlyDictionary<string, Entry> values) => new ConfigBinder(values).Config();

    private T Get<T>(Leaf<T> leaf) => leaf.Parse(_values[leaf.Path]);

    private float[] Floats(Leaf<IReadOnlyList<double>> leaf) => [.. Get(leaf).Select(value => (float)value)];

    private TrainerConfig Config() => new(
        new RecipeSection(Get(Keys.RecipeName), Get(Keys.RecipeAbout)),
        new DataSection(Get(Keys.DataName), Get(Keys.DataDir), Augment(), Get(Keys.Validation)),
        new ModelSection(
            Get(Keys.ModelName), Get(Keys.ModelWidth), Get(Keys.ModelBlocks), Get(Keys.ModelClasses), Get(Keys.ModelStem), Get(Keys.ModelWeights),
            Floats(Keys.ModelMean), Floats(Keys.ModelStd)),
        Method(),
        Attack(),
        new OptimizerSection(Get(Keys.Lr), Get(Keys.Momentum), Get(Keys.WeightDecay), Get(Keys.Nesterov), Get(Keys.Clip)),
        new ScheduleSection(Get(Keys.Schedule), Get(Keys.Warmup), Get(Keys.Milestones), Get(Keys.Factor)),
        new TrainSection(Get(Keys.Epochs), Get(Keys.Batch), Get(Keys.Seed), Get(Keys.MaxSteps), Get(Keys.OverfitBatch), Get(Keys.Accumulate)),
        new AverageSection(Get(Keys.Ema), Get(Keys.Swa), Get(Keys.AverageStart), Get(Keys.AverageReport)),
        new EvalSection(
            Get(Keys.EvalN), Get(Keys.EvalAttacks), Get(Keys.EvalBatch), Get(Keys.EvalSelect), Get(Keys.EvalMonitor), Get(Keys.EvalEvery)),
        new CheckpointSection(
            Get(Keys.CheckpointEpochs), Get(Keys.CheckpointSteps), Get(Keys.CheckpointSeconds), Get(Keys.CheckpointKeep), Get(Keys.CheckpointKeepEvery)),
        new GuardSection(
            Get(Keys.GuardActionKey), Get(Keys.GuardExplode), Get(Keys.GuardConstant), Get(Keys.GuardRollbacks), Get(Keys.GuardCut), Get(Keys.GuardOverfit)),
        new DeviceSection(Get(Keys.DeviceName), Get(Keys.Precision), Get(Keys.Convolution)),
        new LogSection(Get(Keys.Progress), Get(Keys.Interval), Get(Keys.TensorBoard)),
        new RunSection(Get(Keys.Out), Get(Keys.RunName), Get(Keys.Threads), Get(Keys.Processes), Get(Keys.MaxMinutes), Get(Keys.Grace), Get(Keys.Requeue), Get(Keys.CheckDisk)));

    // The term's keys are always typed, so that a wrong one is found even where the method does not use it.
    private MethodSection Method()
    {
        string name = Get(Keys.MethodName);
        var term = new RpatSection(Get(Keys.RpatWeight), Get(Keys.RpatAlpha), Get(Keys.RpatFormKey), Get(Keys.RpatStart));
        return new MethodSection(
            name, Given(Keys.MethodSettings), name.EndsWith(MethodCatalog.RpatSuffix, StringComparison.Ordinal) ? term : null,
            Get(Keys.AwpGamma), Get(Keys.AwpStart), Given([Keys.CleanTeacher, Keys.RobustTeacher]));
    }

    private Dictionary<string, string> Given(IEnumerable<Leaf<string>> keys) => keys
        .Where(key => Get(key).Length > 0).ToDictionary(key => key.Path[(key.Path.LastIndexOf('.') + 1)..], Get);

    private AugmentSection Augment() =>
        new(Get(Keys.DataCrop), Get(Keys.DataBorder), Get(Keys.DataFlip), Get(Keys.DataCutout), Get(Keys.DataCutMix));

    private AttackSection Attack() => new(
        Get(Keys.Norm), Get(Keys.Eps), Get(Keys.Step), Get(Keys.Steps), Get(Keys.Restarts), Get(Keys.Start), Get(Keys.AttackBn));
}

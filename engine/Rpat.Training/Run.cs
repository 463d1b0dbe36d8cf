namespace Rpat.Training;

/// <summary>
/// One training run: its configuration, opened data, the network on its device, the method, the optimizer and the schedule, its progress,
/// the processes that share it, and on rank 0 its folder.
/// </summary>
internal sealed class Run : IDisposable
{
    private readonly AuxiliaryModels _companions;
    private readonly List<string> _filesRead = [];
    private RunIdentity? _identity;
    private RunFolder? _folder;
    private readonly IProcessGroup? _group;

    /// <summary>Whether the run folder was changed: a resume that is refused before leaves an earlier run as it was.</summary>
    public bool HasBegun { get; set; }

    private Run(TrainerConfig config, DataPair data, LabeledImages? validation = null, RunProcessGroup? team = null, bool resumes = false)
    {
        (Config, Data, Validation, Team) = (config, data, validation, team ?? new RunProcessGroup());
        try
        {
            if (config.Data.Aux.Length > 0 && !config.Train.OverfitBatch) More = MappedImages.Open(config.Data.Aux, data.Train);
            Device = DeviceFactory.For(config);
            Model = ModelMetadata.SpecOf(config.Model, data.Train);
            int last = data.Train.Labels.Concat(data.Test.Labels).Concat(validation?.Labels ?? []).Max();
            if (More is not null) last = Math.Max(last, data.Train.ClassNames.Count - 1); // its labels are not looked through again
            if (last >= Model.Classes)
                throw new ConfigException(FormattableString.Invariant(
                    $"model.classes is {Model.Classes}, and '{data.Train.Name}' has images of class {last}: leave it at 0, or give at least {last + 1}."));
            Net = ModelCatalog.Build(Device, Model, Seed);
            bool hasOne = Batch == 1 || (More is null && data.Train.Count % Batch == 1); // with further images every batch is full
            LeastImages = hasOne ? SmallestBatch.Of(Net) : 1;
            SmallestBatch.Require(Batch, LeastImages, config);
            if ((long)StepsPerEpoch * config.Train.Epochs > int.MaxValue)
                throw new ConfigException(FormattableString.Invariant(
                    $"train.epochs is {config.Train.Epochs}, which at {StepsPerEpoch} steps per epoch is more than {int.MaxValue} steps: train for fewer epochs, or in larger batches."));
            Optimizer = OptimizerFactory.Make(Net.Parameters, config);
            if (config.Model.Weights.Length > 0) Net.Load(PretrainedWeights.Of(config, Device, Model, _filesRead.Add, mustFit: !resumes));
            Method = MethodFactory.Make(config);
            _group = Team.For(Device, config);
            _companions = MethodFactory.Companions(config, Method, Device, Model, Seed, _filesRead.Add);
            try
            {
                Step = new TrainingStep(Net, Method, Optimizer, Seed, _companions, _group);
            }
            catch (ArgumentException error) when (PluginFailure.Of(error) is null)
            {
                throw new ConfigException(error.Message);
            }
            State = new RunState(Step);
            _ = BatchOptions(); // values that do not fit the images are reported before a run folder exists
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public TrainerConfig Config { get; }
    public DataPair Data { get; }

    /// <summary>The processes that share the run; this one alone unless others were given.</summary>
    public RunProcessGroup Team { get; }

    /// <summary>The run's progress.</summary>
    public RunState State { get; }

    /// <summary>Where rank 0 writes the run's files.</summary>
    public RunFolder Folder
    {
        get => _folder ?? throw new InvalidOperationException("this process writes no files of the run");
        set => _folder = value;
    }

    /// <summary>Sentences that a user must see before trusting the run's results; usually none.</summary>
    public IReadOnlyList<string> Notes =>
    [
        .. Data.Notes, .. _filesRead, .. SmallestBatch.Note(Data.Train.Count % Batch, LeastImages, Config),
        .. LateStarts.Of(Config, LastEpoch),
        .. SuspectValues.Of(Config, Data.Train.Count), .. SuspectValues.Attack(Method, Config),
    ];

    /// <summary>Further training images, which fill a share of each batch; null for none.</summary>
    public MappedImages? More { get; }

    /// <summary>Training images that are held out to choose a checkpoint; null if there are none.</summary>
    public LabeledImages? Validation { get; }

    /// <summary>The images that choose a checkpoint after each epoch; null if there are none.</summary>
    public LabeledImages? ChoosingImages => Config.Eval.Select switch
    {
        SelectOn.Test => TestImages,
        SelectOn.Validation => Validation,
        _ => null,
    };

    /// <summary>The images on which the run is evaluated at its end.</summary>
    public LabeledImages TestImages => Config.Eval.N == 0 ? Data.Test : Data.Test.Take(Config.Eval.N);

    /// <summary>The least number of images in the last batch of an epoch; a smaller batch is left out.</summary>
    public int LeastImages { get; }

    public Device Device { get; }
    public ModelSpec Model { get; }
    public Classifier Net { get; }
    public Optimizer Optimizer { get; }
    public TrainingStep Step { get; }

    /// <summary>The method.</summary>
    public Objective Method { get; }

    /// <summary>The network that is reported: the averaged one if the method or the configuration says so.</summary>
    public Classifier Reported => Step.Reported;

    /// <summary>What the numbers depend on in addition to the configuration.</summary>
    public RunIdentity Identity => _identity ??= RunIdentity.Of(Data.Train, More, PretrainedWeights.Digest(_companions), Device);

    public ulong Seed => (ulong)Config.Train.Seed;
    public int Batch => Math.Min(Config.Train.Batch, Data.Train.Count);
    public int StepsPerEpoch => Sized.Batches(Data.Train.Count);
    public int TotalSteps => Config.Train.MaxSteps == 0 ? Planned : Math.Min(Config.Train.MaxSteps, Planned);

    /// <summary>The epoch of the last step, counted from 1.</summary>
    public int LastEpoch => (TotalSteps + StepsPerEpoch - 1) / StepsPerEpoch;

    private BatchOptions Sized => new(Batch, default) { Least = LeastImages, More = More, MoreShare = Config.Data.AuxFraction };
    private int Planned => StepsPerEpoch * Config.Train.Epochs;

    /// <summary>Opens the data and builds everything; nothing is written.</summary>
    /// <param name="team">The processes that share each batch; null for this one alone.</param>
    /// <param name="given">The images; null to open the data set that the configuration names.</param>
    /// <param name="resumes">Whether a checkpoint replaces the weights that the run began with.</param>
    public static Run Open(TrainerConfig config, RunProcessGroup? team = null, DataPair? given = null, bool resumes = false)
    {
        var data = given ?? DataSets.Open(config.Data.Name, config.Data.Dir.Length == 0 ? null : config.Data.Dir);
        if (config.Train.OverfitBatch) return new(config, OneBatch(data, config.Train.Batch), team: team, resumes: resumes);
        int count = ValidationSplit.CountOf(config.Data.Validation, data.Train.Count);
        if (count == 0) return new(config, data, team: team, resumes: resumes);
        var (train, heldOut) = ValidationSplit.Of(data.Train, count);
        return new(config, data with { Train = train }, heldOut, team, resumes);
    }

    // The first images are used for everything, including the evaluation.
    private static DataPair OneBatch(DataPair data, int count)
    {
        var batch = data.Train.Take(count);
        return data with
        {
            Train = batch,
            Test = batch,
            Notes = [.. data.Notes, FormattableString.Invariant(
            $"train.overfit_batch: trained and measured on the same {batch.Count} images, without augmentation.")]
        };
    }

    /// <summary>The same on random images of the data set's size, for measuring speed; no file is needed except an npz: one.</summary>
    public static Run Synthetic(TrainerConfig config) => new(config, SyntheticSet.Like(config.Data.Name, config.Train.Batch));

    /// <summary>The hardware and algorithms: the device, and the algorithm of each convolution by the name of its weight.</summary>
    public ComputeInfo Compute()
    {
        var tape = new Tape(Device);
        Net.Forward(tape, Tensor.Create(Device, Net.InputShape.WithBatch(Batch)), BnMode.Eval);
        var convolutions = tape.Nodes.Where(node => node.Op == "Conv2d").ToDictionary(node => node.Inputs[1].Tensor.Name,
            node => node.Detail);
        return new ComputeInfo(Device.Name, Device.Description, convolutions);
    }

    /// <summary>The learning rate of each step; a run cut short by <c>max_steps</c> keeps the curve of the whole run.</summary>
    public Schedule Schedule() => Schedule(Config, StepsPerEpoch);

    /// <summary>The same for a configuration with a given number of steps per epoch.</summary>
    public static Schedule Schedule(TrainerConfig config, int stepsPerEpoch)
    {
        var s = config.Schedule;
        float rate = (float)config.Optimizer.Lr;
        Schedule curve = s.Kind switch
        {
            ScheduleKind.Cosine => new CosineSchedule(rate, 0, config.Train.Epochs * stepsPerEpoch),
            ScheduleKind.Piecewise => new PiecewiseSchedule(rate, (float)s.Factor,
                [.. s.Milestones.Select(epoch => (int)Math.Min(int.MaxValue, (long)epoch * stepsPerEpoch - s.Lead))]),
            _ => new ConstantSchedule(rate),
        };
        return curve with { WarmupSteps = (int)Math.Round(s.Warmup * stepsPerEpoch) };
    }

    /// <summary>The run's progress before a step.</summary>
    public StepContext At(int epoch, int step, float rate) =>
        new(epoch, step, Planned, rate, (float)Config.Optimizer.Lr * (float)State.Guard.RateFactor);

    /// <summary>The training images in the order and with the augmentation of each epoch.</summary>
    public BatchStream Batches() => new(Data.Train, BatchOptions(), Seed);

    /// <summary>Makes the batches' images on the device; null if the host does.</summary>
    public DeviceImages? DeviceImages() =>
        BatchOptions() is { OnDemand: true } options ? new DeviceImages(new ResidentImages(Device, Data.Train), options.Augment, Seed)
        : null;

    private BatchOptions BatchOptions()
    {
        var a = Config.Train.OverfitBatch ? new AugmentSection() : Config.Data.Augment;
        int side = Math.Min(Data.Train.Height, Data.Train.Width);
        if (a.CropPad >= side)
            throw new ConfigException(
                $"data.augment.crop is {a.CropPad}, and images of '{Data.Train.Name}' have {side} pixels: choose less.");
        if ((a.CutMix > 0 || a.Mixup > 0) && Step.TwoViews)
            throw new ConfigException(
                $"data.augment.{(a.CutMix > 0 ? "cutmix" : "mixup")} mixes images, and {Config.Method.Name} trains on two views of "
                    + $"each: set it to 0 or choose another "
                    + $"method.");
        var options = a.On(Sized) with { TwoViews = Step.TwoViews };
        return options with { OnDemand = Training.DeviceImages.Suits(Device, Data.Train, options) };
    }

    /// <summary>The attack with a number of steps under the run's threat model.</summary>
    public PgdOptions Attack(int steps) => MethodFactory.Pgd(Config.Attack) with
    { Steps = steps, Restarts = 1, RandomStart = true, Bn = BnMode.Eval };

    public void Dispose()
    {
        if (_group is IDeviceProcessGroup) _group.Dispose();
        Device?.Dispose(); // null if the constructor has failed before
        More?.Dispose();
    }
}

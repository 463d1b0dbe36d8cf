using System.Text.Json.Serialization;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;
using Rpat.Robust.Settings;

namespace Rpat.Training.Config;

/// <summary>
/// The whole configuration of a run, typed and checked. One record per section of the file; a setting's key, help, bounds and default are
/// its declaration here, and nowhere else.
/// </summary>
internal sealed record TrainerConfig
{
    [Section] public RecipeSection Recipe { get; init; } = new();
    [Section] public DataSection Data { get; init; } = new();
    [Section] public ModelSection Model { get; init; } = new();
    [Section] public MethodSection Method { get; init; } = new();
    [Section] public AttackSection Attack { get; init; } = new();
    [Section] public OptimizerSection Optimizer { get; init; } = new();
    [Section] public ScheduleSection Schedule { get; init; } = new();
    [Section] public TrainSection Train { get; init; } = new();
    [Section] public AverageSection Average { get; init; } = new();
    [Section] public EvalSection Eval { get; init; } = new();
    [Section] public GuardSection Guard { get; init; } = new();
    [Section] public CheckpointSection Checkpoint { get; init; } = new();
    [Section] public DeviceSection Device { get; init; } = new();
    [Section] public LogSection Log { get; init; } = new();
    [Section] public RunSection Run { get; init; } = new();

    /// <summary>
    /// The name of the run's folder after its date: <c>run.name</c>, else the recipe and what differs from it of method, data set and
    /// network, else method and data set.
    /// </summary>
    public string RunName => (Run.Name, Recipe.Name) switch
    {
        ({ Length: > 0 } name, _) => name,
        (_, { Length: > 0 } recipe) => Safe(string.Join('-', [recipe, .. Unlike(recipe)])),
        _ => Safe($"{Method.Name}-{DataName}"),
    };

    // A data set may be 'npz:' and a path, which cannot be a folder's name, or 'memory:' and a name.
    private string DataName => Data.Name.Contains('/') || Data.Name.StartsWith("npz:", StringComparison.Ordinal)
        || Data.Name.StartsWith("memory:", StringComparison.Ordinal)
        ? Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(Data.Name[(Data.Name.IndexOf(':') + 1)..])) : Data.Name;

    private IEnumerable<string> Unlike(string recipe)
    {
        if (CatalogNames.Recipes.Match(recipe) is null) yield break; // of another version
        var own = RecipeLibrary.Resolve(recipe, "run.name").Config;
        if (own.Method.Name != Method.Name) yield return Method.Name;
        if (own.Data.Name != Data.Name) yield return DataName;
        if (own.Model.Name != Model.Name) yield return Model.Name;
    }

    private static string Safe(string name) =>
        string.Concat(name.Take(100).Select(c => char.IsAsciiLetterOrDigit(c) || "._+-".Contains(c) ? c : '-'));
}

/// <summary>Which recipe the run started from.</summary>
internal sealed record RecipeSection
{
    [Setting("recipe to start from; see 'rpat recipes'", Kind = typeof(RecipeKind))]
    public string Name { get; init; } = "";

    [Setting("what the recipe is, in one line")]
    public string About { get; init; } = "";
}

/// <summary>The images.</summary>
internal sealed record DataSection
{
    [Setting("data set, npz:FILE or folder:DIR; see 'rpat data'", Kind = typeof(DataSetKind))]
    public string Name { get; init; } = FashionMnistSet.Name;

    [Setting("folder of the data set's files; empty for the usual places")]
    public string Dir { get; init; } = "";

    [Section] public AugmentSection Augment { get; init; } = new();

    [Setting("npz file of further training images and their labels, such as generated ones; read by memory map", Optional = true)]
    public string Aux { get; init; } = "";

    [Setting("share of each batch that is drawn from data.aux; an epoch has as many steps as without", Max = 0.999)]
    public double AuxFraction { get; init; } = 0.7;

    [Setting("training images held out to choose the best checkpoint: how many, or a share below 1", Kind = typeof(HeldOutKind),
        Max = int.MaxValue)]
    public double Validation { get; init; }
}

/// <summary>The augmentation of training images, drawn again each epoch.</summary>
internal sealed record AugmentSection
{
    [Setting("border in pixels for random crops; 0 for none", Name = "crop", Max = 64)]
    public int CropPad { get; init; }

    [Setting("what the border for random crops holds: zeros or the mirrored image", Plural = "borders")]
    public CropBorder Border { get; init; }

    [Setting("mirror half of the images left to right")]
    public bool Flip { get; init; }

    [Setting("random operations on each image after crop and flip: CIFAR-10's pairs of autoaugment, or randaugment's of one magnitude",
        Plural = "policies")]
    public PolicyKind Policy { get; init; }

    [Setting("operations per image of randaugment", Min = 1, Max = 100)]
    public int Ops { get; init; } = 2;

    [Setting("magnitude of randaugment's operations", Max = ImagePolicy.MaxMagnitude)]
    public int Magnitude { get; init; } = 9;

    [Setting("side in pixels of a square that is blackened in each image; 0 for none", Max = 4096)]
    public int Cutout { get; init; }

    [Setting("share of batches whose images are mixed by CutMix; 0 for none", Name = "cutmix", Max = 1)]
    public double CutMix { get; init; }

    [Setting("alpha of mixup, which blends every batch's images by a share from Beta(alpha, alpha); 0 for none", Max = 1000)]
    public double Mixup { get; init; }

    /// <summary>What happens to each batch.</summary>
    public BatchOptions On(in BatchOptions batches) => batches with
    {
        Augment = new(CropPad, Flip) { Border = Border, Cutout = Cutout },
        Policy = new(Policy, Ops, Magnitude),
        CutMix = CutMix,
        Mixup = Mixup,
    };
}

/// <summary>The network.</summary>
internal sealed record ModelSection
{
    [Setting("network; see 'rpat models'", Kind = typeof(ModelKind))]
    public string Name { get; init; } = "preactresnet18";

    [Setting("channels of the first stage, or a wide ResNet's factor; 0 for the published network's", Max = 4096)]
    public int Width { get; init; }

    [Setting("residual blocks in each stage; 0 for the published network's", Max = 100)]
    public int Blocks { get; init; }

    [Setting("outputs; 0 for the data set's number of classes", Max = 100_000)]
    public int Classes { get; init; }

    [Setting("step of the first convolution; 0 for the network's own rule", Max = 4)]
    public int StemStride { get; init; }

    [Setting("run folder or weights to start from; empty for random ones", Optional = true)]
    public string Weights { get; init; } = "";

    [Setting("mean of each channel, for a normalisation as first layer; empty for none", Min = -1, Max = 1)]
    public IReadOnlyList<float> Mean { get; init; } = [];

    [Setting("standard deviation of each channel, likewise", Min = 1e-6, Max = 1)]
    public IReadOnlyList<float> Std { get; init; } = [];
}

/// <summary>The training method. Its own settings are text here: the method itself declares which ones it has.</summary>
internal sealed record MethodSection
{
    [Setting("training method", Kind = typeof(MethodKind), Plural = "methods")]
    public string Name { get; init; } = "pgd-at" + MethodCatalog.RpatSuffix;

    /// <summary>The term that <see cref="HasRpat"/> adds.</summary>
    [Section] public RobustPerception Rpat { get; init; } = new();

    /// <summary>Weight perturbation on top of the method; a size of 0 leaves it to the method.</summary>
    [Section] public Awp Awp { get; init; } = new() { Gamma = 0 };

    /// <summary>Sharpness-aware minimisation on top of the method.</summary>
    [Section] public Sam Sam { get; init; } = new() { Rho = 0 };

    [Section] public TeachersSection Teachers { get; init; } = new();

    /// <summary>Only the method's own settings, by name.</summary>
    public Dictionary<string, string> Settings { get; } = [];

    /// <summary>Whether the perception term is on top of the method.</summary>
    public bool HasRpat => Name.EndsWith(MethodCatalog.RpatSuffix, StringComparison.Ordinal);

    /// <summary>The method without that term.</summary>
    public MethodInfo Info => MethodCatalog.Find(Name)!;

    /// <summary>The same under an attack, with the section's moves of the weights.</summary>
    public Objective Perturbed(PgdOptions attack) => Sam.On(Awp.On(Info.Make(Settings, attack)));
}

/// <summary>Frozen networks that a method learns from.</summary>
internal sealed record TeachersSection
{
    [Setting("run folder or weights of a network trained on clean images (kd-swa)", Optional = true)]
    public string Clean { get; init; } = "";

    [Setting("run folder or weights of an adversarially trained network (kd-swa, adaad, igdm)", Optional = true)]
    public string Robust { get; init; } = "";

    [Setting("network in the teachers' files that do not name it; empty for the run's own", Kind = typeof(OptionalModelKind),
        Optional = true)]
    public string Model { get; init; } = "";

    /// <summary>The file of a teacher by the method's name for it; empty if not given.</summary>
    public string Of(string name) => name switch
    {
        "clean" => Clean,
        "robust" => Robust,
        _ => "",
    };
}

/// <summary>The training attack; evaluation uses the same norm and radius.</summary>
internal sealed record AttackSection
{
    [Setting("norm of the perturbation", Plural = "norms")]
    public Norm Norm { get; init; } = Norm.Linf;

    [Setting("largest perturbation, images lie in [0,1]", Min = 1e-6, Max = 1000)]
    public double Eps { get; init; } = 8 / 255.0;

    [Setting("length of one step, images lie in [0,1]", Min = 1e-6, Max = 1000)]
    public double Step { get; init; } = 2 / 255.0;

    [Setting("steps of the training attack", Min = 1, Max = 100_000)]
    public int Steps { get; init; } = 10;

    [Setting("starts of the attack; each image keeps its result of largest loss", Min = 1, Max = 1000)]
    public int Restarts { get; init; } = 1;

    [Setting("where the attack starts: the method's choice, at the image, a random point of the ball or of the cube, next to the image, "
        + "or a random direction",
        Plural = "starts")]
    public PgdStart? Start { get; init; }

    [Setting("batch normalisation while attacking: the method's choice, batch statistics, batch statistics that move nothing, or "
        + "running ones",
        Name = "bn", Plural = "modes")]
    public BnMode? BatchNorm { get; init; }
}

/// <summary>How gradients move the weights (methods 0.3).</summary>
internal sealed record OptimizerSection
{
    [Setting("optimizer; adamw is Adam with decoupled weight decay", Plural = "optimizers")]
    public OptimizerKind Name { get; init; }

    [Setting("base learning rate", Max = 1e30)]
    public double Lr { get; init; } = 0.1;

    [Setting("momentum", Max = 0.9999)]
    public double Momentum { get; init; } = 0.9;

    [Setting("weight decay, on every weight", Max = 1000)]
    public double WeightDecay { get; init; } = 5e-4;

    [Setting("Nesterov momentum")]
    public bool Nesterov { get; init; }

    [Setting("Adam's decay of the mean gradient", Max = 0.999999)]
    public double Beta1 { get; init; } = 0.9;

    [Setting("Adam's decay of the mean square", Max = 0.999999)]
    public double Beta2 { get; init; } = 0.999;

    [Setting("added to Adam's divisor", Min = 1e-30, Max = 1)]
    public double Epsilon { get; init; } = 1e-8;

    [Setting("clip the gradient's global L2 norm to this; 0 for off")]
    public double Clip { get; init; }
}

/// <summary>The optimizers.</summary>
internal enum OptimizerKind
{
    /// <summary>Gradient descent with momentum.</summary>
    Sgd,

    /// <summary>Adam, with weight decay through the gradient.</summary>
    Adam,

    /// <summary>Adam with decoupled weight decay.</summary>
    [JsonStringEnumMemberName("adamw")]
    AdamW,
}

/// <summary>How the learning rate moves.</summary>
internal sealed record ScheduleSection
{
    [Setting("curve of the learning rate", Plural = "schedules")]
    public ScheduleKind Kind { get; init; }

    [Setting("epochs of linear rise at the start")]
    public double Warmup { get; init; }

    [Setting("epochs after which a piecewise schedule drops the rate", Min = 1)]
    public IReadOnlyList<int> Milestones { get; init; } = [100, 105];

    [Setting("what each milestone multiplies the rate by", Max = 1000)]
    public double Factor { get; init; } = 0.1;

    [Setting("steps by which each milestone comes before the epoch's end: 1 for scripts that take the rate of a step's end", Max = 1000)]
    public int Lead { get; init; }
}

/// <summary>The learning rate's curve.</summary>
internal enum ScheduleKind
{
    /// <summary>Half a cosine from the base rate to 0.</summary>
    Cosine,

    /// <summary>Steps at the milestones.</summary>
    Piecewise,

    /// <summary>The base rate throughout.</summary>
    Constant,
}

/// <summary>The training loop.</summary>
internal sealed record TrainSection
{
    [Setting("passes over the training images", Min = 1)]
    public int Epochs { get; init; } = 3;

    [Setting("images per step", Min = 1, Max = 1 << 20)]
    public int Batch { get; init; } = 128;

    [Setting("batches whose mean gradient makes one step of the optimizer; schedules count batches", Min = 1, Max = 1 << 20)]
    public int Accumulate { get; init; } = 1;

    [Setting("share of the uniform distribution in the targets of cross-entropies; the attack keeps sharp ones", Max = 1)]
    public double LabelSmoothing { get; init; }

    [Setting("seed of all randomness", Max = long.MaxValue)]
    public long Seed { get; init; }

    [Setting("end after N steps; 0 for no limit", Max = int.MaxValue)]
    public int MaxSteps { get; init; }

    [Setting("train and measure on one batch only, as it is: a network that cannot learn that has a fault")]
    public bool OverfitBatch { get; init; }
}

/// <summary>Averaged weights in place of the method's own.</summary>
internal sealed record AverageSection
{
    [Setting("decay per step of averaged weights; 0 for the method's own average, if it has one", Max = 1)]
    public double Ema { get; init; }

    [Setting("first epoch (from 1) of a mean of the weights after each epoch; 0 for none", Without = "without an average")]
    public int Swa { get; init; }

    [Setting("first epoch (from 1) in which averaged weights move on their own", Min = 1, Without = "without an average")]
    public int Start { get; init; } = 1;

    [Setting("limit of the decay at first: none, (1 + n)/(10 + n) after n updates, or 1 - 1/(n + 1) after n steps", Name = "warmup",
        Plural = "limits")]
    public AverageWarmUp WarmUp { get; init; }

    [Setting("report the averaged network instead of the trained one")]
    public bool Report { get; init; } = true;
}

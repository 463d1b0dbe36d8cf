using Rpat.Engine;
using Rpat.Engine.IO;

namespace Rpat.Trainer.Config;

/// <summary>The whole configuration of a run, typed and checked. One record per section of the file.</summary>
internal sealed record TrainerConfig(
    RecipeSection Recipe,
    DataSection Data,
    ModelSection Model,
    MethodSection Method,
    AttackSection Attack,
    OptimizerSection Optimizer,
    ScheduleSection Schedule,
    TrainSection Train,
    AverageSection Average,
    EvalSection Eval,
    CheckpointSection Checkpoint,
    GuardSection Guard,
    DeviceSection Device,
    LogSection Log,
    RunSection Run)
{
    /// <summary>What the run's folder is called after its date: <c>run.name</c>, else the recipe, else method and data set.</summary>
    public string RunName => (Run.Name, Recipe.Name) switch
    {
        ({ Length: > 0 } name, _) => name,
        (_, { Length: > 0 } recipe) => recipe,
        _ => Safe($"{Method.Name}-{Data.Name}"),
    };

    // A data set may be 'npz:' and a path, which no folder can be called.
    private static string Safe(string name) =>
        string.Concat(name.Take(100).Select(c => char.IsAsciiLetterOrDigit(c) || "._+-".Contains(c) ? c : '-'));
}

/// <summary>Which recipe the run started from.</summary>
/// <param name="Name">The recipe's name, or empty.</param>
/// <param name="About">What it is, in one line.</param>
internal sealed record RecipeSection(string Name, string About);

/// <summary>The images.</summary>
/// <param name="Name">The data set.</param>
/// <param name="Dir">Where its files are; empty for the usual places.</param>
/// <param name="Augment">What happens to training images.</param>
/// <param name="Validation">Training images to hold out: how many, or below 1 which share of them.</param>
internal sealed record DataSection(string Name, string Dir, AugmentSection Augment, double Validation);

/// <summary>What happens to training images, drawn anew each epoch.</summary>
/// <param name="CropPad">Border in pixels from which a random window of the image's size is cut; 0 for none.</param>
/// <param name="Border">What that border holds.</param>
/// <param name="Flip">Whether half of the images are mirrored left to right.</param>
/// <param name="Cutout">Side in pixels of a square that is blackened; 0 for none.</param>
/// <param name="CutMix">The share of batches that CutMix mixes.</param>
internal sealed record AugmentSection(int CropPad, CropBorder Border, bool Flip, int Cutout, double CutMix);

/// <summary>The network.</summary>
/// <param name="Name">The family.</param>
/// <param name="Width">Channels of the first stage, or the widening factor of a wide ResNet; 0 for the published network's.</param>
/// <param name="Blocks">Residual blocks in each stage; 0 for the published network's.</param>
/// <param name="Classes">Number of outputs; 0 for as many as the data set has classes.</param>
/// <param name="StemStride">Step of the first convolution; 0 for the network's own rule.</param>
/// <param name="Weights">Run folder or file of weights to start from; empty for random ones.</param>
/// <param name="Mean">Mean of each channel for the normalisation that is the first layer; empty for none.</param>
/// <param name="Std">Standard deviation of each channel, likewise.</param>
internal sealed record ModelSection(
    string Name, int Width, int Blocks, int Classes, int StemStride, string Weights, IReadOnlyList<float> Mean, IReadOnlyList<float> Std);

/// <summary>The training method.</summary>
/// <param name="Name">The method.</param>
/// <param name="Settings">What of its settings is given, by name.</param>
/// <param name="Rpat">The perception term, or null for a method without it.</param>
/// <param name="AwpGamma">Size of a weight perturbation on top of it; 0 for its own.</param>
/// <param name="AwpStart">First epoch, counted from 1, of that perturbation.</param>
/// <param name="Teachers">Files of frozen networks, by the method's names for them; those that are given.</param>
internal sealed record MethodSection(
    string Name, IReadOnlyDictionary<string, string> Settings, RpatSection? Rpat, double AwpGamma, int AwpStart, IReadOnlyDictionary<string, string> Teachers);

/// <summary>Averaged weights in place of the method's own.</summary>
/// <param name="Ema">Decay per step; 0 for none.</param>
/// <param name="Swa">First epoch, counted from 1, of a mean of the weights after each epoch; 0 for none.</param>
/// <param name="Start">First epoch, counted from 1, in which weights averaged by step move on their own.</param>
/// <param name="Report">Whether the averaged network is the result.</param>
internal sealed record AverageSection(double Ema, int Swa, int Start, bool Report);

/// <summary>The perception term (methods 1.2 to 1.4).</summary>
/// <param name="Weight">λ, in the scale of <paramref name="Form"/>.</param>
/// <param name="Alpha">α: where on the way from the clean to the adversarial image the middle point lies.</param>
/// <param name="Form">How the term is scaled.</param>
/// <param name="Start">The first epoch, counted from 1, that uses the term; 0 and 1 both mean from the start.</param>
internal sealed record RpatSection(double Weight, double Alpha, RpatForm Form, int Start);

/// <summary>The two scales of the perception term; they differ by the factor (α(1−α))².</summary>
internal enum RpatForm
{
    /// <summary>mean (z(x̃) − (1−α)z(x) − αz(x′))², as in the official code.</summary>
    Code,

    /// <summary>mean of the squared difference of the two difference quotients, as in the paper.</summary>
    Quotient,
}

/// <summary>The training attack; evaluation uses the same norm, ε and step.</summary>
/// <param name="Norm">The norm of the ball.</param>
/// <param name="Eps">The ball's radius, in pixel units of images in [0,1].</param>
/// <param name="Step">The step's length, in the same units.</param>
/// <param name="Steps">Steps per attack.</param>
/// <param name="Restarts">Attacks per batch, of which the strongest is kept for each image.</param>
/// <param name="Start">Where the attack starts.</param>
/// <param name="BatchNorm">Which statistics batch normalisation uses while attacking.</param>
internal sealed record AttackSection(
    AttackNorm Norm, double Eps, double Step, int Steps, int Restarts, AttackStart Start, AttackBatchNorm BatchNorm);

/// <summary>The norm that bounds a perturbation.</summary>
internal enum AttackNorm
{
    /// <summary>The largest change of any value.</summary>
    Linf,

    /// <summary>The Euclidean length of the change of one image.</summary>
    L2,
}

/// <summary>Where an attack starts.</summary>
internal enum AttackStart
{
    /// <summary>Where the method's attack starts.</summary>
    Auto,

    /// <summary>At a random point of the ball.</summary>
    Random,

    /// <summary>At the image plus small normal numbers.</summary>
    Gaussian,

    /// <summary>For L2, in a normal direction at a uniform radius.</summary>
    Direction,

    /// <summary>At the clean image.</summary>
    Zero,
}

/// <summary>Which statistics batch normalisation uses while attacking.</summary>
internal enum AttackBatchNorm
{
    /// <summary>As the method's attack does.</summary>
    Auto,

    /// <summary>The running statistics; nothing moves.</summary>
    Eval,

    /// <summary>The batch's own statistics, which move the running ones.</summary>
    Train,

    /// <summary>The batch's own statistics; nothing moves.</summary>
    Frozen,
}

/// <summary>Stochastic gradient descent (methods 0.3).</summary>
/// <param name="Lr">The base learning rate that the schedule scales.</param>
/// <param name="Momentum">μ in v ← μv + g.</param>
/// <param name="WeightDecay">Multiplies every weight, batch normalisation and biases included, into its gradient.</param>
/// <param name="Nesterov">Whether the step looks ahead by one momentum.</param>
/// <param name="Clip">Largest L2 norm of the whole gradient; 0 for any.</param>
internal sealed record OptimizerSection(double Lr, double Momentum, double WeightDecay, bool Nesterov, double Clip);

/// <summary>How the learning rate moves.</summary>
/// <param name="Kind">The curve.</param>
/// <param name="Warmup">Epochs in which it rises linearly from 0 to the base rate; fractions count.</param>
/// <param name="Milestones">Epochs after which a piecewise schedule multiplies the rate.</param>
/// <param name="Factor">What it multiplies by at each milestone.</param>
internal sealed record ScheduleSection(ScheduleKind Kind, double Warmup, IReadOnlyList<int> Milestones, double Factor);

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
/// <param name="Epochs">Passes over the training images.</param>
/// <param name="Batch">Images per step.</param>
/// <param name="Seed">The seed of all randomness.</param>
/// <param name="MaxSteps">Steps after which training ends early; 0 for no limit.</param>
/// <param name="OverfitBatch">Whether one batch is all that is trained and measured on.</param>
/// <param name="Accumulate">Batches whose mean gradient makes one step of the optimizer.</param>
internal sealed record TrainSection(int Epochs, int Batch, long Seed, int MaxSteps, bool OverfitBatch, int Accumulate);

/// <summary>The evaluation after training, and while it lasts.</summary>
/// <param name="N">How many held-out images, from the first; 0 for all.</param>
/// <param name="Attacks">What to measure, in this order.</param>
/// <param name="Batch">Images per evaluation batch; no result depends on it.</param>
/// <param name="Select">Which images choose the best checkpoint.</param>
/// <param name="Monitor">The attack that it is chosen by.</param>
/// <param name="Every">After every so many epochs.</param>
internal sealed record EvalSection(int N, IReadOnlyList<EvalAttack> Attacks, int Batch, SelectOn Select, EvalAttack Monitor, int Every);

/// <summary>Which images choose the best checkpoint.</summary>
internal enum SelectOn
{
    /// <summary>Those held out by <c>data.validation</c>; without them none is chosen.</summary>
    Validation,

    /// <summary>The test images, which makes its test accuracy too good.</summary>
    Test,

    /// <summary>None is chosen.</summary>
    None,
}

/// <summary>What to do about a run that diverges or overfits.</summary>
/// <param name="Action">What happens when it diverges.</param>
/// <param name="Explode">It has when the smoothed loss is this many times its lowest, or the loss of a guess if that is more; 0 for never.</param>
/// <param name="Constant">It has when all images of so many steps in a row are put in one class; 0 for never.</param>
/// <param name="Rollbacks">How often a run is rolled back at most.</param>
/// <param name="Cut">What each rollback multiplies the learning rate with.</param>
/// <param name="Overfit">The fall of the validation's robust accuracy that is warned of, in [0,1]; 0 for none.</param>
internal sealed record GuardSection(GuardAction Action, double Explode, int Constant, int Rollbacks, double Cut, double Overfit);

/// <summary>What happens to a run that diverges.</summary>
internal enum GuardAction
{
    /// <summary>It ends with exit code 5.</summary>
    Stop,

    /// <summary>It goes back to its last planned checkpoint with a lower learning rate.</summary>
    Rollback,
}

/// <summary>When the run is saved so that it can be gone on with; none of it changes the weights.</summary>
/// <param name="Epochs">At the end of every so many epochs; 0 for none but the last.</param>
/// <param name="Steps">Also after every so many steps; 0 for none.</param>
/// <param name="Seconds">Also when the last one is so many seconds old; 0 for never.</param>
/// <param name="Keep">How many of the newest stay.</param>
/// <param name="KeepEvery">Those at the end of every so many epochs stay for good; 0 for none.</param>
internal sealed record CheckpointSection(int Epochs, int Steps, double Seconds, int Keep, int KeepEvery);

/// <summary>One column of the result.</summary>
/// <param name="Name">As written: <c>clean</c> or <c>pgd20</c>.</param>
/// <param name="Steps">PGD steps; 0 for clean images.</param>
internal sealed record EvalAttack(string Name, int Steps)
{
    /// <summary>The name as a table's heading: <c>Clean</c>, <c>PGD-20</c>.</summary>
    public string Title => Steps == 0 ? "Clean" : FormattableString.Invariant($"PGD-{Steps}");
}

/// <summary>How the numbers are computed; results differ by rounding only.</summary>
/// <param name="Name"><c>cpu</c>, or <c>cuda:N</c>.</param>
/// <param name="Precision">How a GPU's convolutions round their factors: <c>fp32</c>, <c>tf32</c> or <c>bf16</c>.</param>
/// <param name="Convolution">Which convolution algorithms the CPU may choose from.</param>
internal sealed record DeviceSection(string Name, string Precision, ConvolutionAlgorithm Convolution);

/// <summary>What is shown while training.</summary>
/// <param name="Progress">The kind of view.</param>
/// <param name="Interval">Seconds between two lines of the plain view.</param>
/// <param name="TensorBoard">Whether events for TensorBoard are written.</param>
internal sealed record LogSection(ProgressKind Progress, double Interval, bool TensorBoard);

/// <summary>The kind of progress view.</summary>
internal enum ProgressKind
{
    /// <summary>Live in a terminal, plain elsewhere.</summary>
    Auto,

    /// <summary>A table and a bar, redrawn in place.</summary>
    Live,

    /// <summary>Lines of key=value.</summary>
    Plain,

    /// <summary>Nothing.</summary>
    None,
}

/// <summary>Where and how the run happens; none of it changes the weights.</summary>
/// <param name="Out">The folder that holds the run folders.</param>
/// <param name="Name">The name in the run's folder; empty for the recipe's.</param>
/// <param name="Threads">Threads of each process; 0 for one per core.</param>
/// <param name="Processes">Processes that divide each batch.</param>
/// <param name="MaxMinutes">Minutes after which the run saves and stops; 0 for no limit.</param>
/// <param name="Grace">Seconds that a stopped run has to finish its step and save; 0 for as long as it takes.</param>
/// <param name="Requeue">Whether SIGUSR1 puts a Slurm job back into the queue.</param>
/// <param name="CheckDisk">Whether a run that will not fit on the disk is refused.</param>
internal sealed record RunSection(string Out, string Name, int Threads, int Processes, double MaxMinutes, double Grace, bool Requeue, bool CheckDisk);

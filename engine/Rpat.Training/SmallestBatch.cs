namespace Rpat.Training;

/// <summary>
/// The fewest images that a network can be trained on at once. A batch norm needs more than one value per channel, and if its map has one
/// pixel, each image contributes one value. Processes that share a batch take the statistics of the whole, so their number does not matter.
/// </summary>
internal static class SmallestBatch
{
    /// <summary>2 if a batch norm of the network has maps of one pixel, otherwise 1.</summary>
    public static int Of(Classifier net)
    {
        var tape = new Tape(net.Device);
        net.Forward(tape, Tensor.Create(net.Device, net.InputShape.WithBatch(2)), BnMode.Eval);
        return tape.Nodes.Any(node => node.Op == "BatchNorm2d" && node.Inputs[0].Tensor.Shape.Area == 1) ? 2 : 1;
    }

    /// <summary>Checks the size of a run's batches.</summary>
    /// <exception cref="ConfigException">They are too small.</exception>
    public static void Require(int batch, int least, TrainerConfig config)
    {
        if (batch >= least) return;
        string what = config.Train.Batch == batch ? $"train.batch is {batch}" : "there is 1 training image";
        throw new ConfigException(
            $"{what}, and {config.Model.Name} normalises maps of one pixel by the images of a batch: give at least {least}, "
                + "or larger images.");
    }

    /// <summary>A sentence if the last batch of each epoch is left out; usually none.</summary>
    public static IEnumerable<string> Note(int last, int least, TrainerConfig config) => last == 0 || last >= least
        ? []
        : [$"the last batch of each epoch would have 1 image, which {config.Model.Name} cannot normalise on maps of one pixel: it is "
            + $"left out, a different image in each epoch."];
}

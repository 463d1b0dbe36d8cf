namespace Rpat.Tests.Reference;

/// <summary>
/// The references against PyTorch in double precision. pytorch_numbers.py, beside this file, makes the same inputs and printed every
/// number below; a number is the sum of an array's values times cos(0.01·i) over the flat index i, or a loss.
/// </summary>
public class PyTorchNumbersTests
{
    private static readonly Dictionary<string, double> _step = new()
    {
        ["conv1.weight"] = -0.3176416515662599,
        ["layer1.0.bn1.weight"] = 0.09662204850557732,
        ["layer1.0.bn1.bias"] = -0.14749342453530934,
        ["layer1.0.conv1.weight"] = -2.2422390928471057,
        ["layer1.0.bn2.weight"] = 0.12661149833419216,
        ["layer1.0.bn2.bias"] = -0.1466924400491001,
        ["layer1.0.conv2.weight"] = -1.4726769091130294,
        ["layer1.1.bn1.weight"] = -0.08949558999475948,
        ["layer1.1.bn1.bias"] = 0.08953560622427702,
        ["layer1.1.conv1.weight"] = 1.0995562845744884,
        ["layer1.1.bn2.weight"] = 0.19282168743114803,
        ["layer1.1.bn2.bias"] = 0.11818383550452358,
        ["layer1.1.conv2.weight"] = 3.2874445793249945,
        ["layer2.0.bn1.weight"] = -0.6019490418568636,
        ["layer2.0.bn1.bias"] = 0.34843933189696985,
        ["layer2.0.conv1.weight"] = 3.799768171459772,
        ["layer2.0.bn2.weight"] = 0.6965824755930817,
        ["layer2.0.bn2.bias"] = 0.07235991574079181,
        ["layer2.0.conv2.weight"] = 3.4030759846581815,
        ["layer2.0.shortcut.0.weight"] = -1.3920436762175434,
        ["layer2.1.bn1.weight"] = 0.24837503489225826,
        ["layer2.1.bn1.bias"] = -0.3011513812396982,
        ["layer2.1.conv1.weight"] = 2.022463451282638,
        ["layer2.1.bn2.weight"] = -0.21558659882937725,
        ["layer2.1.bn2.bias"] = 0.014945788291495676,
        ["layer2.1.conv2.weight"] = 3.6738887141271612,
        ["layer3.0.bn1.weight"] = -0.03023823742881515,
        ["layer3.0.bn1.bias"] = -0.33360609088240456,
        ["layer3.0.conv1.weight"] = 5.279188683021467,
        ["layer3.0.bn2.weight"] = 0.6695933084343001,
        ["layer3.0.bn2.bias"] = -1.0948213763562125,
        ["layer3.0.conv2.weight"] = -2.1643509330601325,
        ["layer3.0.shortcut.0.weight"] = -6.00112686773598,
        ["layer3.1.bn1.weight"] = 0.3195523478374098,
        ["layer3.1.bn1.bias"] = -0.41930786945660936,
        ["layer3.1.conv1.weight"] = 1.7451334514438148,
        ["layer3.1.bn2.weight"] = 0.44978256974994424,
        ["layer3.1.bn2.bias"] = -0.11131858239600834,
        ["layer3.1.conv2.weight"] = -2.4217391620179223,
        ["layer4.0.bn1.weight"] = 0.7971806999994256,
        ["layer4.0.bn1.bias"] = -0.1849319696260019,
        ["layer4.0.conv1.weight"] = 0.03475056987677538,
        ["layer4.0.bn2.weight"] = -0.8208106535828316,
        ["layer4.0.bn2.bias"] = 0.5415574031830616,
        ["layer4.0.conv2.weight"] = 0.09687443204612747,
        ["layer4.0.shortcut.0.weight"] = 0.16441577241738012,
        ["layer4.1.bn1.weight"] = 0.005544304833971477,
        ["layer4.1.bn1.bias"] = -0.06293385133198574,
        ["layer4.1.conv1.weight"] = 0.004195833896346191,
        ["layer4.1.bn2.weight"] = 0.009074691139023532,
        ["layer4.1.bn2.bias"] = -0.03880513780758495,
        ["layer4.1.conv2.weight"] = 0.11836464202033661,
        ["bn.weight"] = 1.0544127736181643,
        ["bn.bias"] = -0.8097541850962396,
        ["linear.weight"] = -3.207523977046266,
        ["linear.bias"] = -1.4953000924008975e-05,
        ["layer1.0.bn1.running_mean"] = 0.01347253750896191,
        ["layer1.0.bn1.running_var"] = 1.466139697486585,
        ["layer1.0.bn2.running_mean"] = -0.16003582827677226,
        ["layer1.0.bn2.running_var"] = 1.5990753836436027,
        ["layer1.1.bn1.running_mean"] = 0.0015559177915826887,
        ["layer1.1.bn1.running_var"] = 1.5455843794328044,
        ["layer1.1.bn2.running_mean"] = -0.23011279944023244,
        ["layer1.1.bn2.running_var"] = 1.7110236417467188,
        ["layer2.0.bn1.running_mean"] = 0.04429320932404067,
        ["layer2.0.bn1.running_var"] = 1.6705859370143108,
        ["layer2.0.bn2.running_mean"] = -0.4296055220704133,
        ["layer2.0.bn2.running_var"] = 3.483426562531527,
        ["layer2.1.bn1.running_mean"] = 0.3818851086494415,
        ["layer2.1.bn1.running_var"] = 3.6983942929865474,
        ["layer2.1.bn2.running_mean"] = 0.2161865083140353,
        ["layer2.1.bn2.running_var"] = 4.243634490940338,
        ["layer3.0.bn1.running_mean"] = 0.023440461321241335,
        ["layer3.0.bn1.running_var"] = 7.315645273321472,
        ["layer3.0.bn2.running_mean"] = 0.037183345711118865,
        ["layer3.0.bn2.running_var"] = 8.028213277593215,
        ["layer3.1.bn1.running_mean"] = -0.03995495945414684,
        ["layer3.1.bn1.running_var"] = 6.792602222207856,
        ["layer3.1.bn2.running_mean"] = -0.03217447591301023,
        ["layer3.1.bn2.running_var"] = 8.396729817133645,
        ["layer4.0.bn1.running_mean"] = 0.0032931792981630847,
        ["layer4.0.bn1.running_var"] = 10.309387116080218,
        ["layer4.0.bn2.running_mean"] = -0.07492381161717881,
        ["layer4.0.bn2.running_var"] = 16.740784932140976,
        ["layer4.1.bn1.running_mean"] = 0.4837959501555428,
        ["layer4.1.bn1.running_var"] = 13.409800870170224,
        ["layer4.1.bn2.running_mean"] = -0.005652165743527449,
        ["layer4.1.bn2.running_var"] = 76.41378422261015,
        ["bn.running_mean"] = 0.5691189461685904,
        ["bn.running_var"] = 168.6295892761003,
    };

    [Fact]
    public void A_grouped_strided_convolution_with_bias()
    {
        Array4 x = Wave(1, 2, 4, 7, 6), w = Wave(2, 6, 2, 3, 3);
        Window window = new(2, 1, 2);
        Array4 y = ReferenceConv2d.Forward(x, w, Wave(3, 1, 6, 1, 1).Data, window), dy = Wave(4, y.N, y.C, y.H, y.W);
        Array4 dx = ReferenceConv2d.InputGradient(x, w, dy, window), dw = ReferenceConv2d.WeightGradient(x, w, dy, window);
        Same([-147.54902388300903, 4.650787033000587, 1.2139448875888201], y.Data, dx.Data, dw.Data);
    }

    [Fact]
    public void Max_pooling_with_padding()
    {
        Array4 x = Wave(5, 2, 3, 7, 6);
        Same([56.0083278453272], ReferencePooling.Max(x, 3, new Window(2, 1)).Data);
    }

    [Fact]
    public void Batch_normalisation_in_train_mode()
    {
        Array4 x = Wave(6, 3, 2, 4, 3), dy = Wave(9, 3, 2, 4, 3);
        double[] gamma = Wave(7, 1, 2, 1, 1, middle: 1.2).Data, beta = Wave(8, 1, 2, 1, 1).Data;
        ChannelStatistics running = new([0, 0], [1, 1]);
        ReferenceBatchNorm2d.UpdateRunning(running, x);
        BatchNormGradient d = ReferenceBatchNorm2d.BackwardTrain(x, gamma, dy);
        double[] y = ReferenceBatchNorm2d.ForwardTrain(x, gamma, beta).Data;
        double[] expected =
        [
            28.005614538241485, 0.180510825702458, -50.49978166655574,
            -3.215394996288393, 0.008000144427930204, 1.9028817242599514,
        ];
        Same(expected, y, d.X.Data, d.Gamma, d.Beta, running.Mean, running.Variance);
    }

    [Fact]
    public void Cross_entropy_plus_twice_the_divergence()
    {
        Array4 a = Wave(1, 4, 5, 1, 1, reach: 3), b = Wave(2, 4, 5, 1, 1, reach: 3);
        int[] labels = [0, 4, 2, 1];
        Array4 da = ReferenceCrossEntropy.MeanGradient(a, labels).Zip(ReferenceKl.MeanGradientA(a, b), (p, q) => p + 2 * q);
        double[] ce = [ReferenceCrossEntropy.Mean(a, labels)], kl = [ReferenceKl.Mean(a, b)];
        double[] expected = [2.509920696059516, 0.4859025481925031, -0.0016523834572236828, 0.0008383384997085741];
        Same(expected, ce, kl, da.Data, ReferenceKl.MeanGradientB(a, b).Map(g => 2 * g).Data);
    }

    [Theory]
    [InlineData(false, 5.443188395083435)]
    [InlineData(true, 6.086248127110026)]
    public void Three_steps_of_descent(bool nesterov, double expected)
    {
        double[] weights = Wave(1, 1, 6, 1, 1).Data, velocity = new double[6];
        ReferenceSgd sgd = new(0.9, 0.05, nesterov);
        for (int step = 0; step < 3; step++) sgd.Step(weights, Wave(2 + step, 1, 6, 1, 1).Data, velocity, 0.1);
        Same([expected], weights);
    }

    [Fact]
    public void A_whole_rpat_step_with_every_gradient_and_statistic()
    {
        PreActResNetShape shape = new(Width: 2, BlocksPerStage: 2, Classes: 3, Channels: 2);
        Dictionary<string, double[]> state = State(shape);
        ReferencePreActResNet net = new(shape, state);
        Array4 x = Wave(50, 3, 2, 9, 8, middle: 0.5, reach: 0.4), adversarial = Wave(51, 3, 2, 9, 8, middle: 0.5, reach: 0.4);

        StepResult step = ReferenceRpatStep.Evaluate(net, x, adversarial, [0, 2, 1], lambda: 5, alpha: 0.3);
        Same([1.1571640170561974, 0.055300068559126274], [step.CrossEntropy], [step.Perception]);
        Assert.Equal(_step.Keys.Order(), state.Keys.Order());
        foreach ((string name, double expected) in _step) Same([expected], step.Gradients.GetValueOrDefault(name) ?? state[name]);
        Same([-73.88171994814891], net.Logits(x, NormMode.Eval).Data);
    }

    // Parameters are waves seeded by their place in the order of parameters, vectors around 1, the rest around 0.
    private static Dictionary<string, double[]> State(PreActResNetShape shape)
    {
        Dictionary<string, double[]> state = shape.Initialise(seed: 0);
        foreach ((int seed, (string name, int[] lengths)) in shape.Parameters().Index())
            state[name] = Wave(seed, 1, 1, 1, state[name].Length, lengths.Length == 1 ? 1 : 0, 0.4).Data;
        return state;
    }

    private static Array4 Wave(int seed, int n, int c, int h, int w, double middle = 0, double reach = 1)
    {
        Array4 x = new(n, c, h, w);
        for (int i = 0; i < x.Length; i++) x.Data[i] = middle + reach * Math.Sin(0.37 * i + 1.1 * seed);
        return x;
    }

    private static void Same(double[] expected, params double[][] arrays)
    {
        double[] marks = Array.ConvertAll(arrays, array => array.Select((value, i) => value * Math.Cos(0.01 * i)).Sum());
        Assert.Equal(expected, marks, (p, q) => Math.Abs(p - q) <= 1e-10 * Math.Max(1, Math.Abs(p)));
    }
}

using Rpat.Models;
using Rpat.Robust.Losses;
using Rpat.Tests.Reference;
using Rpat.Tests.Support;

namespace Rpat.Tests.Autograd;

/// <summary>Copies of weights that a tape derives: kept while they are valid, made anew when they are not.</summary>
public sealed class PackedWeightTests : IDisposable
{
    private readonly Device _device = Device.Cpu(2);
    private readonly PreActResNet _net;
    private readonly Tensor _x;
    private readonly Labels _labels;

    public PackedWeightTests()
    {
        PreActResNetOptions options = new() { Input = new Shape(1, 3, 8, 8), Classes = 4, Width = 16, BlocksPerStage = 1 };
        _net = new PreActResNet(_device, options, seed: 1);
        _x = Tensor.From(_device, new Shape(3, 3, 8, 8), Array4.Uniform(3, 3, 8, 8, seed: 2, low: 0).ToFloats(), needsGrad: true);
        _labels = Labels.From(_device, [1, 0, 3]);
    }

    public void Dispose() => _device.Dispose();

    [Fact]
    public void An_attack_keeps_them_from_iteration_to_iteration()
    {
        var (tape, _) = Record(Gradients.Inputs);
        tape.Run();
        Spoil(tape);
        tape.Run();
        Assert.All(_x.GradToArray(), g => Assert.True(float.IsNaN(g))); // what was spoilt was read
    }

    [Fact]
    public void They_follow_the_weights()
    {
        var (tape, logits) = Record(Gradients.Inputs);
        tape.Run();
        float[] first = logits.ToArray();
        Spoil(tape);
        _net.Parameters.BumpVersion();
        tape.Run();
        Bits.Equal(first, logits.ToArray());
    }

    [Fact]
    public void They_are_made_anew_after_another_tape_has_run()
    {
        var (attack, logits) = Record(Gradients.Inputs);
        var (other, _) = Record(Gradients.None);
        attack.Run();
        float[] first = logits.ToArray(), gradient = _x.GradToArray();
        Spoil(attack);
        other.Forward();
        attack.Run();
        Bits.Equal(first, logits.ToArray());
        Bits.Equal(gradient, _x.GradToArray());
    }

    [Fact]
    public void They_are_made_anew_after_the_arena_has_grown()
    {
        var (small, logits) = Record(Gradients.None);
        small.Forward();
        float[] first = logits.ToArray();
        _device.Arena.Reserve(2 * _device.Arena.Capacity); // fresh memory of zeros
        small.Forward();
        Bits.Equal(first, logits.ToArray());
    }

    [Fact]
    public void A_training_tape_makes_them_in_each_pass()
    {
        var (tape, logits) = Record(Gradients.Parameters);
        tape.Run();
        float[] first = [.. logits.ToArray(), .. _net.Parameters.Parameters.SelectMany(p => p.GradToArray())];
        Spoil(tape);
        tape.Run();
        Bits.Equal(first, [.. logits.ToArray(), .. _net.Parameters.Parameters.SelectMany(p => p.GradToArray())]);
    }

    [Fact]
    public void Passes_of_one_network_run_layer_by_layer_and_share_them()
    {
        Tape tape = new(_device, Gradients.Parameters);
        Tensor[] logits = [.. Enumerable.Range(0, 3).Select(_ => _net.Forward(tape, _x, BnMode.Train))];
        tape.RpatLoss(logits[0], logits[1], logits[2], _labels);
        string[] recorded = Weights(tape);
        tape.Run();
        string[] layers = recorded[..(recorded.Length / 3)], run = Weights(tape);
        for (int i = 0; i + 2 < layers.Length; i++) // a block's shortcut and its first convolution are one layer
            Assert.True(Array.LastIndexOf(run, layers[i]) < Array.IndexOf(run, layers[i + 2]), $"{layers[i]} runs behind {layers[i + 2]}.");
        Assert.Equal(layers.Length, tape.Nodes.SelectMany(n => n.ForwardWeights).Distinct().Count());
    }

    private static string[] Weights(Tape tape) => [.. tape.Nodes.OfType<Conv2dNode>().Select(n => n.Inputs[1].Tensor.Name)];

    private (Tape Tape, Tensor Logits) Record(Gradients gradients)
    {
        Tape tape = new(_device, gradients);
        Tensor logits = tape.Retain(_net.Forward(tape, _x, BnMode.Eval));
        tape.CrossEntropy(logits, _labels);
        return (tape, logits);
    }

    private void Spoil(Tape tape)
    {
        foreach (var storage in tape.Nodes.SelectMany(n => n.ForwardWeights.Concat(n.BackwardWeights)).Select(w => w.Storage).Distinct())
        {
            var values = new float[storage.StorageLength];
            Array.Fill(values, float.NaN);
            _device.Upload(values, storage.Data);
        }
    }
}

namespace Rpat.Tests.IO.PyTorch;

/// <summary>Every form of checkpoint that PyTorch has ever written.</summary>
public class TorchWeightsTests
{
    public static TheoryData<string> Files =>
    [
        "views.pt", "views_old.pt", "kinds.pt", "module.pt", "module_old.pt", "state_old.pt", "script.pt", "state_protocol3.pt",
        "state_protocol4.pt",
        "state_protocol5.pt", "command.pt", "command.pkl", "arrays.pkl", "oldest.tar",
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_tensor_is_PyTorchs_bit_by_bit(string name)
    {
        using WeightFile file = WeightFile.Open(Checkpoints.PathOf(name), name == "command.pt" ? "state_dict" : null);
        Dictionary<string, NamedArray> expected = Checkpoints.Expected(name);
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Keys.Order(), file.Tensors.Select(t => t.Name).Order());
        Assert.All(file.Tensors, entry => Checkpoints.AssertEqual(expected[entry.Name], file.Load(entry.Name)));
    }

    [Theory]
    [InlineData("training.pt")]
    [InlineData("madry.pt")]
    public void Wrapped_networks_are_found_under_their_own_names(string name)
    {
        using WeightFile file = WeightFile.Open(Checkpoints.PathOf(name));
        ModelWeights weights = ModelWeights.In(file, ["fc.weight"], "conv1.weight")
            .First(w => !w.Place.Contains("attacker") && w.Place != "ema");
        Dictionary<string, NamedArray> expected = Checkpoints.Expected(name);
        Assert.Equal(expected.Keys.Order(), weights.Entries.Keys.Order());
        Assert.All(expected, pair => Checkpoints.AssertEqual(pair.Value, weights.Load(pair.Key)));
        Assert.NotNull(weights.Normalization);
        Assert.Equal(name == "madry.pt" ? [0.1f, 0.2f] : [0.25f, 0.5f], weights.Normalization.Value.Mean);
        Assert.Equal(name == "madry.pt" ? [0.3f, 0.4f] : [0.5f, 0.125f], weights.Normalization.Value.Std);
    }

    [Fact]
    public void A_part_can_be_chosen()
    {
        using WeightFile average = WeightFile.Open(Checkpoints.PathOf("training.pt"), "ema");
        NamedArray expected = Checkpoints.Expected("training.pt")["conv1.weight"];
        Assert.Equal(expected.ToFloats().Select(v => v + 1), average.Load("conv1.weight").ToFloats());
        string message = Assert.Throws<CheckpointException>(() => WeightFile.Open(Checkpoints.PathOf("training.pt"), "nothing")).Message;
        Assert.Contains("nothing under 'nothing'", message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    public void Streams_of_every_protocol_are_read(int protocol)
    {
        using WeightFile file = WeightFile.Open(Checkpoints.PathOf($"stream_protocol{protocol}.pt"));
        Assert.Equal("PyTorch stream checkpoint", file.Kind);
        NamedArray count = file.Load("count");
        Assert.Equal([2, 3], count.Shape);
        Assert.Equal([0f, 1, 2, 3, 4, 5], count.ToFloats());
    }

    [Fact]
    public void Everything_can_be_listed()
    {
        using WeightFile file = WeightFile.Open(Checkpoints.PathOf("training.pt"), "");
        var values = file.Values.ToDictionary(pair => pair.Key, pair => pair.Value);
        Assert.Equal(("76", "51.25", "3", "0.1", "small", "1.5", "True"), (
            values["epoch"], values["best_acc"], values["count"], values["args.lr"], values["args.name"], values["history.0"],
            values["history.2"]));
        Assert.Contains(file.Tensors, t => t.Name == "optimizer.state.0.momentum_buffer");
        Assert.Contains(file.Tensors, t => t.Name == "state_dict.module.model.conv1.weight");
    }

    [Fact]
    public void Commands_in_a_file_are_named_and_never_run()
    {
        using TempFolder folder = new();
        string before = Directory.GetCurrentDirectory();
        using WeightFile file = WeightFile.Open(Checkpoints.PathOf("command.pt")),
            pickle = WeightFile.Open(Checkpoints.PathOf("command.pkl"), "");
        Assert.Contains(file.Notes, note => note.Contains("posix.system"));
        Assert.Equal(Checkpoints.Expected("command.pkl")["weight"].ToFloats(), pickle.Load("weight").ToFloats());
        Assert.False(File.Exists(Path.Combine(before, "rpat-was-here")));
    }

    [Fact]
    public void Classes_become_records_and_are_named()
    {
        using WeightFile file = WeightFile.Open(Checkpoints.PathOf("module.pt"));
        Assert.Contains(file.Notes, note => note.Contains("__main__.Small") && note.Contains("torch.nn.modules.conv.Conv2d"));
    }

    [Theory]
    [InlineData("<!DOCTYPE html><html>", "web page")]
    [InlineData("\n  <html>Google Drive - Quota exceeded", "web page")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer")]
    [InlineData("{\"error\": 1}", "no known kind")]
    [InlineData("\u0008\u0008\u0012\u0007pytorch", "ONNX model")]
    [InlineData("GGUF\u0003", "GGUF")]
    [InlineData("Rar!\u001a", "RAR archive")]
    [InlineData("", "empty")]
    public void Other_files_are_named_as_what_they_are(string content, string words)
    {
        using TempFolder folder = new();
        string path = folder.Write("weights.pt", System.Text.Encoding.UTF8.GetBytes(content));
        string message = Assert.Throws<CheckpointException>(() => WeightFile.Open(path)).Message;
        Assert.Contains(words, message);
        Assert.Contains(path, message);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named() =>
        Assert.Contains("does not exist", Assert.Throws<CheckpointException>(() => WeightFile.Open("nowhere.pt")).Message);

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_truncation_is_one_clear_error(string name)
    {
        using TempFolder folder = new();
        byte[] whole = Checkpoints.Bytes(name);
        // A tar ends in zeros that nobody needs.
        if (name == "oldest.tar") whole = whole[..(whole.AsSpan().LastIndexOfAnyExcept((byte)0) + 1)];
        foreach (byte[] part in TempFolder.Cut(whole))
        {
            var error = Assert.Throws<CheckpointException>(() => Checkpoints.ReadAll(folder.File("cut"), part));
            Assert.Contains(folder.File("cut"), error.Message);
        }
    }
}

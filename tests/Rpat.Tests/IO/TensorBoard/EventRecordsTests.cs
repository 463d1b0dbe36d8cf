namespace Rpat.Tests.IO.TensorBoard;

public sealed class EventRecordsTests
{
    private const double Time = 1_700_000_000;

    [Fact]
    public void ChecksumsAreTheStandards()
    {
        Assert.Equal(0xE3069283, EventFrame.Crc("123456789"u8));
        Assert.Equal(0xC78AB0E5, EventFrame.Masked("123456789"u8));
        Assert.Equal(0x8A9136AA, EventFrame.Crc(new byte[32]));
        Assert.Equal(0x62A8AB43u, EventFrame.Crc(Enumerable.Repeat((byte)255, 32).ToArray()));
        Assert.Equal(0xA282EAD8, EventFrame.Masked([]));
    }

    [Fact]
    public void RecordsAreTheKnownBytes()
    {
        Assert.Equal(
            "2100000000000000017becf60900002040fc54d94110ac022a130a110a0a747261696e2f6c6f7373150000803e0da12f0e",
            Convert.ToHexStringLower(EventRecords.Scalar(Time + 0.5, 300, "train/loss", 0.25f)));
        Assert.Equal("100000000000000095fbfe180900004040fc54d94110ac023a020801dd381e42",
            Convert.ToHexStringLower(EventRecords.SessionStart(Time + 1, 300)));
        Message version = EventReader.Read(EventRecords.Version(Time)).Single();
        Assert.Equal((Time, "brain.Event:2", "rpat.native"), (version[1].Double, version[3].Text, version[10].Message[1].Text));
    }

    [Fact]
    public void AZeroIsWritten()
    {
        Message e = EventReader.Read(EventRecords.Scalar(Time, 1, "loss", 0)).Single();
        Assert.Equal(0, e[5].Message[1].Message[2].Float);
    }

    [Fact]
    public void AFileThatWasCutShortIsReadUpToThere()
    {
        byte[] file = [.. Enumerable.Range(1, 4).SelectMany(step => EventRecords.Scalar(Time, step, "x", step))];
        for (int length = 0; length < file.Length; length++)
            Assert.Equal(length / (file.Length / 4), EventReader.Scalars(EventReader.Read(file[..length]), "x").Length);
    }

    [Fact]
    public void AFileCanBeCutBackToAStep()
    {
        byte[][] records =
        [
            EventRecords.Version(Time), EventRecords.Text(Time, 0, "x", "y"), EventRecords.Scalar(Time, 1, "a", 1),
            EventRecords.Scalar(Time, 1, "b", 1),
            EventRecords.Scalar(Time, 300, "a", 1), EventRecords.Scalar(Time, 70_000, "a", 1),
        ];
        byte[] file = [.. records.SelectMany(r => r), 1, 2, 3];
        int Length(int whole) => records.Take(whole).Sum(r => r.Length);
        Assert.Equal([Length(2), Length(4), Length(4), Length(5), Length(6)],
            [.. new long[] { 0, 1, 299, 69_999, 70_000 }.Select(step => EventFrame.LengthUpTo(file, step))]);
    }

    [Fact]
    public void AHistogramCountsEveryNumberOnce()
    {
        float[] values = [3, -1, 0.5f, 0.5f, 2, 3, float.NaN, -1];
        Message histogram = EventReader.Read(EventRecords.Histogram(Time, 5, "w", values, buckets: 4))
            .Single()[5].Message[1].Message[5].Message;
        Assert.Equal([-1, 3, 7, 7], [.. Enumerable.Range(1, 4).Select(i => histogram[i].Double)]);
        Assert.Equal(values.Where(float.IsFinite).Sum(v => v * v), histogram[5].Double, 6);
        Assert.Equal([-1, 0, 1, 2, 3], Doubles(histogram[6]));
        Assert.Equal([0, 2, 2, 0, 3], Doubles(histogram[7]));
        Message constant = EventReader.Read(EventRecords.Histogram(Time, 5, "w", [2, 2], buckets: 4))
            .Single()[5].Message[1].Message[5].Message;
        Assert.Equal(2, Doubles(constant[7]).Sum());
        Assert.Equal(0, EventReader.Read(EventRecords.Histogram(Time, 5, "w", [])).Single()[5].Message[1].Message[5].Message[3].Double);
    }

    [Fact]
    public void PicturesAndTextsCarryTheirContent()
    {
        byte[] png = Png.Encode(2, 1, 3, new byte[6]);
        Message image = EventReader.Read(EventRecords.Image(Time, 3, "grid", 2, 1, png)).Single()[5].Message[1].Message[4].Message;
        Assert.Equal((1UL, 2UL, 3UL), (image[1].Value, image[2].Value, image[3].Value));
        Assert.Equal(png, image[4].Bytes);
        Message text = EventReader.Read(EventRecords.Text(Time, 0, "config", "**ü**")).Single()[5].Message[1].Message;
        Assert.Equal((7UL, "**ü**"), (text[8].Message[1].Value, text[8].Message[8].Text));
        Assert.Equal(1UL, text[8].Message[2].Message[2].Message[1].Value);
        Assert.Equal("text", text[9].Message[1].Message[1].Text);
    }

    [Fact]
    public void SettingsStandInTheirPlugin()
    {
        (string, object)[] settings = [("method", "rpat"), ("eps", 0.5), ("flip", true), ("epochs", 3)];
        byte[] file = [.. HParamRecords.Experiment(Time, settings, ["test/clean"]), .. HParamRecords.Start(Time, settings, "g"),
            .. HParamRecords.End(Time, true)];
        Message[] values = [.. EventReader.Read(file).Select(e => e[5].Message[1].Message)];
        Assert.Equal(["experiment", "session_start_info", "session_end_info"], values.Select(v => v[1].Text["_hparams_/".Length..]));
        Assert.All(values, v => Assert.Equal("hparams", v[9].Message[1].Message[1].Text));
        Message[] contents = [.. values.Select(v => v[9].Message[1].Message[2].Message)];
        Assert.Equal([1, 3, 2, 3], contents[0][2].Message.All(4).Select(info => (int)info.Message[4].Value));
        Assert.Equal("test/clean", contents[0][2].Message[5].Message[1].Message[2].Text);
        Message[] entries = [.. contents[1][3].Message.All(1).Select(entry => entry.Message)];
        Assert.Equal("rpat", entries[0][2].Message[3].Text);
        Assert.Equal(0.5, entries[1][2].Message[2].Double);
        Assert.Equal(1UL, entries[2][2].Message[4].Value);
        Assert.Equal(3, entries[3][2].Message[2].Double);
        Assert.Equal("g", contents[1][3].Message[4].Text);
        Assert.Equal(1UL, contents[2][4].Message[1].Value);
    }

    private static double[] Doubles(Field packed) => MemoryMarshal.Cast<byte, double>(packed.Bytes).ToArray();
}

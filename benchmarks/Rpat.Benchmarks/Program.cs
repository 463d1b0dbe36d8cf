using Rpat.Benchmarks;

try
{
    return args switch
    {
        ["peer" or "onnx-peer" or "speed" or "profile", "--help" or "-h"] => Help(PeerOptions.Usage),
        ["conv", "--help" or "-h"] => Help(ConvOptions.Usage),
        ["peer", .. var rest] => Peer.Run(new Workload(PeerOptions.Parse(rest)), Console.In, Console.Out),
        ["onnx-peer", .. var rest] => Peer.Run(new OnnxPeer(PeerOptions.Parse(rest)), Console.In, Console.Out),
        ["conv", .. var rest] => ConvRoofline.Run(ConvOptions.Parse(rest), Console.Out),
        ["speed", .. var rest] => StepSpeed.Run(PeerOptions.Parse(rest), Console.Out),
        ["profile", .. var rest] => StepProfile.Run(PeerOptions.Parse(rest), Console.Out),
        _ => Suites.Run(args),
    };
}
catch (ArgumentException error)
{
    Console.Error.WriteLine($"benchmarks: {error.Message}");
    return 2;
}

static int Help(string usage)
{
    Console.WriteLine(usage);
    return 0;
}
